import pytest
import torch

from lib.models.view_fusion import ViewFusion


def views(num_studies: int = 2, num_views: int = 3) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    tokens = torch.randn(num_studies, num_views, 4, 8, generator=generator)
    return tokens, torch.randn(num_studies, num_views, 8, generator=generator)


def test_full_size_parameter_counts():
    with torch.device("meta"):
        official, paper = ViewFusion(768, preset="official"), ViewFusion(768)
    assert sum(p.numel() for p in official.parameters()) == 6_915
    assert sum(p.numel() for p in paper.parameters()) == (2304 + 1) * 768 + (768 + 1) * 3


def test_paper_fusion_agrees_with_a_loop():
    torch.manual_seed(0)
    fusion, (tokens, pooled) = ViewFusion(8), views()
    fused = fusion(tokens, pooled)
    assert fused.memory.shape == (2, 12, 8)
    assert fused.study_feature.shape == (2, 24)
    assert fused.weights.shape == (2, 3, 1)
    for study in range(2):
        hidden = torch.relu(fusion.attention[0](torch.cat([pooled[study, view] for view in range(3)])))
        weights = torch.softmax(fusion.attention[2](hidden), dim=0)
        torch.testing.assert_close(fused.weights[study, :, 0], weights)
        for view in range(3):
            rows, columns = slice(4 * view, 4 * view + 4), slice(8 * view, 8 * view + 8)
            torch.testing.assert_close(fused.memory[study, rows], weights[view] * tokens[study, view])
            torch.testing.assert_close(
                fused.study_feature[study, columns], weights[view] * pooled[study, view]
            )


def test_official_gates_agree_with_the_published_ones(published):
    recorded = published("fusion/")
    fusion = ViewFusion(768, 3, preset="official")
    fusion.load_published(published("fusion/weights/"))
    tokens, pooled = recorded["input_views"], torch.randn(2, 3, 768)
    with torch.no_grad():
        fused = fusion(tokens, pooled)
    assert (fused.weights - recorded["output_gates"][..., 0]).abs().max() < 1e-5
    memory = torch.cat([recorded["output_gates"][:, view] * tokens[:, view] for view in range(3)], dim=1)
    assert (fused.memory - memory).abs().max() < 1e-5
    assert torch.equal(fused.study_feature, pooled.flatten(1))  # this branch is not fused


def test_published_weights_are_loaded_strictly(published):
    weights = published("fusion/weights/")
    with pytest.raises(ValueError, match="missing: fc4.weight, fc4.bias"):
        ViewFusion(768, 4, preset="official").load_published(weights)
    with pytest.raises(ValueError, match='"paper"'):
        ViewFusion(768, 3).load_published(weights)


@pytest.mark.parametrize("preset", ("paper", "official"))
def test_one_view(preset):
    fused = ViewFusion(8, 1, preset)(*views(num_views=1))
    assert fused.memory.shape == (2, 4, 8)


def test_wrong_number_of_views():
    with pytest.raises(ValueError, match="2 views, view fusion was made for 3"):
        ViewFusion(8)(*views(num_views=2))
