import pytest
import torch

from lib.objectives.mixing import draw_mixing


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_weights_sum_to_one_and_rows_keep_the_larger_share():
    for seed in range(50):
        mixing = draw_mixing(6, seeded(seed))
        shares = mixing.of(torch.eye(6))  # what each mixture has of every row
        torch.testing.assert_close(shares.sum(dim=1), torch.ones(6))
        assert 0.5 <= mixing.weight <= 1 and (shares.diagonal() >= 0.5).all()
        assert sorted(mixing.partners.tolist()) == list(range(6))
        for row, partner in enumerate(mixing.partners.tolist()):
            if partner != row:
                assert shares[row, row].item() == pytest.approx(mixing.weight)
                assert shares[row, partner].item() == pytest.approx(1 - mixing.weight)


def test_the_larger_share_of_a_uniform_number_is_uniform_too():
    weights = torch.tensor([draw_mixing(1, seeded(seed)).weight for seed in range(2000)])
    expected = torch.linspace(0.5, 1, 2000)
    assert (weights.sort().values - expected).abs().max() < 0.02


def test_pictures_and_features_are_mixed_alike():
    images, rows = torch.randn(4, 1, 5, 5), torch.randn(25, 7)
    mixing = draw_mixing(4, seeded(3))
    features = images.flatten(1) @ rows  # of a linear encoder, which a mixture goes through unchanged
    torch.testing.assert_close(mixing.of(images).flatten(1) @ rows, mixing.of(features), atol=1e-4, rtol=1e-4)
