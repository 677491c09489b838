import pytest
import torch

from lib.models.projection import ProjectionHead


def test_one_hidden_layer_is_the_formula_of_the_paper():
    head, features = ProjectionHead(6, 4, hidden=5), torch.randn(3, 6)
    assert head.hidden.weight.shape == (5, 6) and head.output.weight.shape == (4, 5)
    first, second = head.hidden.weight.tolist(), head.output.weight.tolist()

    def product(weights: list[float], values: list[float]) -> float:
        return sum(w * v for w, v in zip(weights, values, strict=True))

    for row, found in zip(features.tolist(), head(features), strict=True):
        hidden = [max(0.0, product(weights, row)) for weights in first]
        expected = torch.tensor([product(weights, hidden) for weights in second])
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


def test_linear_is_one_matrix():
    head, features = ProjectionHead(6, 4, kind="linear"), torch.randn(3, 6)
    torch.testing.assert_close(head(features), features @ head.output.weight.T)
    assert len(list(head.parameters())) == 1


@pytest.mark.parametrize("kind", ["mlp", "linear"])
def test_widths_and_gradients(kind):
    head, features = ProjectionHead(2048, kind=kind), torch.randn(4, 2048)
    kept = features.clone()
    projected = head(features)
    assert projected.shape == (4, 512) and head.width == 512
    projected.square().sum().backward()
    assert all(p.grad.abs().max() > 0 for p in head.parameters())
    assert torch.equal(features, kept)  # the feature itself goes on to other uses
    if kind == "mlp":
        assert head.hidden.out_features == 2048  # as wide as the feature


def test_wrong_settings_are_named():
    with pytest.raises(ValueError, match="Unknown projection 'mpl'. Known: mlp, linear"):
        ProjectionHead(6, 4, kind="mpl")
    with pytest.raises(ValueError, match="no hidden layer; leave out hidden=5"):
        ProjectionHead(6, 4, hidden=5, kind="linear")
