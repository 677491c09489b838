"""Context Restoration: the loss is the error of the restored pixels; patches are swapped and nothing else."""

import pytest
import torch
from tiny_restoration import SIZE, make, make_batch, make_pixels

from lib.data.augment import denormalize, normalize
from lib.objectives.context_restoration import ContextRestoration


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_the_loss_is_the_mean_squared_error_of_grey_values_over_all_views():
    objective, batch = make(ContextRestoration).eval(), make_batch()
    images = batch.images.flatten(0, 1)
    shown = objective.show(images)
    expected = (denormalize(shown.restored) - denormalize(images)).square().mean()
    assert objective(batch).keys() == {"restoration"}
    assert objective(batch)["restoration"].item() == pytest.approx(expected.item(), rel=1e-5)


def test_the_target_is_the_picture_and_the_input_its_pixels_in_other_places():
    objective, pixels = make(ContextRestoration, patch_size=5, num_swaps=3), make_pixels()
    original, distorted = objective.distort(normalize(pixels), seeded())
    torch.testing.assert_close(original, normalize(pixels))
    for before, after in zip(original, distorted, strict=True):
        assert torch.equal(before.flatten().sort().values, after.flatten().sort().values)
        assert 0 < (before != after).sum() <= 3 * 2 * 25


def test_what_is_shown_is_what_is_learnt_from():
    objective, images = make(ContextRestoration), normalize(make_pixels())
    first, second, other = (objective.show(images, seed=seed) for seed in (3, 3, 4))
    assert all(map(torch.equal, first, second))
    assert not torch.equal(first.distorted, other.distorted)
    assert torch.equal(first.distorted, objective.distort(images, seeded(3)).distorted)
    assert first.restored.shape == images.shape and not first.restored.requires_grad
    assert objective.training  # as it was


def test_every_step_of_training_distorts_anew_and_every_validation_alike():
    objective, batch = make(ContextRestoration), make_batch()
    torch.manual_seed(5)
    state = torch.get_rng_state()
    steps = [objective(batch)["restoration"].item() for _ in range(3)]
    assert len(set(steps)) == 3
    torch.set_rng_state(state)  # as a resumed training does
    assert [objective(batch)["restoration"].item() for _ in range(3)] == steps
    objective.eval()
    state = torch.get_rng_state()
    assert len({objective(batch)["restoration"].item() for _ in range(3)}) == 1
    assert torch.equal(torch.get_rng_state(), state)  # however often is validated, training goes on alike


@pytest.mark.parametrize(
    "changes, told",
    [
        ({"patch_size": SIZE}, f"patch_size {SIZE}: two patches.*{SIZE} x {SIZE} px; give 1 to {SIZE // 2}"),
        ({"patch_size": 0}, "patch_size 0: two patches"),
        ({"num_swaps": 0}, "num_swaps 0 leaves nothing to restore"),
        ({"encoder": {"name": "vgg"}}, "vgg"),
    ],
)
def test_settings_that_do_not_fit_are_named(changes, told):
    with pytest.raises(ValueError, match=told):
        make(ContextRestoration, **changes)
