"""Which row of the attention belongs to which word, and what becomes of views that are not read."""

from types import SimpleNamespace

import pytest
import torch

from lib.config import build
from lib.explain.report_attention import report_attention
from lib.objectives.caption_lstm import CaptionLSTM, CaptionLSTMConfig
from lib.objectives.convirt import ConVIRT
from lib.objectives.refers import REFERS, REFERSConfig

PAD, UNK, SOS, EOS = range(4)
SIZES = dict(width=16, num_heads=2, mlp_width=20)
ENCODER = dict(image_size=32, patch_size=8, width=12, depth=1, num_heads=2, mlp_width=16)


def make(**changes) -> REFERS:
    torch.manual_seed(0)
    values = {
        "num_views": 2,
        "max_report_tokens": 8,
        "encoder": ENCODER,
        "report": SIZES | {"depth": 2},
        "text": SIZES | {"depth": 1},
    }
    return REFERS(build(REFERSConfig, values | changes), 30, 30)


def images(num_studies: int = 3) -> torch.Tensor:
    return torch.randn(num_studies, 2, 1, 32, 32, generator=torch.Generator().manual_seed(1))


def test_rows_belong_to_the_tokens_they_predict():
    objective = make()
    tokens = objective.generate(images())
    attended = report_attention(objective, images(), tokens)
    assert attended.maps.shape == (3, 7, 2, 2, 2, 4, 4)
    assert (attended.maps >= 0).all() and not attended.maps.requires_grad and objective.training
    torch.testing.assert_close(attended.maps.sum(dim=(-3, -2, -1)), torch.ones(3, 7, 2, 2))
    # Written greedily, each token is the likeliest of those that may be written.
    objective.eval()
    logits = objective.report_transformer(objective.fuse(images()).memory, tokens).detach()
    for study in range(3):
        for place in range(1, 7):
            if tokens[study, place] == PAD:
                break
            expected = logits[study, place - 1].softmax(dim=-1)
            chosen = expected[tokens[study, place]]
            torch.testing.assert_close(attended.probabilities[study, place - 1], chosen)
            expected[[PAD, UNK, SOS]] = 0
            assert chosen == expected.max()


def test_the_map_of_a_token_knows_nothing_of_it_nor_of_later_ones():
    objective, tokens = make(), torch.randint(4, 30, (3, 8), generator=torch.Generator().manual_seed(2))
    changed = tokens.clone()
    changed[:, 4:] = 5
    before, after = (report_attention(objective, images(), each).maps for each in (tokens, changed))
    torch.testing.assert_close(before[:, :4], after[:, :4])  # up to the map of token 4 itself
    assert not torch.allclose(before[:, 4:], after[:, 4:])


def test_places_lie_row_by_row_in_their_views():
    """A writer whose attention is where it is told to look."""
    marked = torch.zeros(1, 3, 1, 1, 2, 16)
    marked[0, 0, ..., 1, 6] = marked[0, 1, ..., 0, 12] = marked[0, 2, ..., 0, 0] = 1

    class Told(torch.nn.Module):
        def forward_with_attention(self, images, tokens):
            return torch.zeros(1, 3, 10), marked, marked[:, 0, 0, 0]

    attended = report_attention(Told(), images(1), torch.tensor([[SOS, 7, EOS]]))
    assert attended.maps.nonzero()[:, [1, 4, 5, 6]].tolist() == [[0, 1, 1, 2], [1, 0, 3, 0]]
    torch.testing.assert_close(attended.probabilities, torch.full((1, 2), 0.1))
    assert attended.gates.nonzero().tolist() == [[0, 1, 1, 2]]


@pytest.mark.parametrize("preset", ("paper", "official"))
def test_gates_are_those_of_view_fusion(preset):
    objective = make(preset=preset)
    gates = report_attention(objective, images(), objective.generate(images())).gates
    assert gates.shape == (3, 2, 4, 4)
    torch.testing.assert_close(gates.mean(dim=(2, 3)), objective.fusion_weights(images()))
    assert (gates.std(dim=(2, 3)) > 0).all() == (preset == "official")


def test_views_that_are_not_read_get_nothing():
    captioner = CaptionLSTM(
        build(
            CaptionLSTMConfig,
            {"max_report_tokens": 8, "encoder": {"name": "radiograph_transformer"} | ENCODER},
        ),
        30,
    )
    for objective in (make(has_view_fusion=False), captioner):
        attended = report_attention(objective, images(), objective.generate(images()))
        assert (attended.maps[..., 1, :, :] == 0).all()
        assert (attended.gates[:, 0] == 1).all() and (attended.gates[:, 1] == 0).all()
        sums = attended.maps[..., 0, :, :].sum(dim=(-2, -1))
        torch.testing.assert_close(sums, torch.ones_like(sums))


def test_an_objective_without_such_attention_is_refused():
    with pytest.raises(ValueError, match="ConVIRT does not tell where .* refers"):
        report_attention(ConVIRT.__new__(ConVIRT), images(), SimpleNamespace())
