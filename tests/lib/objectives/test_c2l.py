import pytest
import torch
import torch.nn.functional as F
from two_crops_batch import TRANSFORMER, make_batch

from lib.losses.queue_contrast import (
    batch_scores,
    log_normaliser,
    noise_contrast,
    queue_scores,
    softmax_contrast,
)
from lib.objectives.c2l import C2L, C2LConfig
from lib.objectives.mixing import draw_mixing


def make(**changes) -> C2L:
    torch.manual_seed(0)
    sizes = {"embedding_width": 8, "encoder": TRANSFORMER, "queue_size": 24, "momentum": 0.9}
    return C2L(C2LConfig(**(sizes | changes)))


def by_hand(objective: C2L, batch, mixing) -> dict[str, torch.Tensor]:
    """Return the scores of the three comparisons, in training with the queue."""
    first, second = batch.images.unbind(1)
    mixed = [mixing.weight * crop + (1 - mixing.weight) * crop[mixing.partners] for crop in (first, second)]
    student, teacher = (
        lambda images, parts=parts: parts[1](parts[0](images).pooled)
        for parts in (
            (objective.encoder, objective.projection),
            (objective.teacher_encoder, objective.teacher_projection),
        )
    )
    keys = teacher(second)
    mixed_keys = (
        mixing.weight * keys + (1 - mixing.weight) * keys[mixing.partners]
    )  # before their length is 1
    pairs = {
        "pictures": (student(first), keys),
        "mixed_pictures": (student(mixed[0]), teacher(mixed[1])),
        "mixed_keys": (student(mixed[0]), mixed_keys),
    }
    if not objective.training:
        return {name: batch_scores(*pair, temperature=0.07) for name, pair in pairs.items()}
    rows = objective.queue.rows
    return {name: queue_scores(*pair, rows, temperature=0.07) for name, pair in pairs.items()}


def test_the_three_losses_are_those_of_the_three_comparisons():
    objective, batch = make().eval(), make_batch()
    scores = by_hand(objective, batch, draw_mixing(4, torch.Generator().manual_seed(0)))
    losses = objective(batch)
    assert losses.keys() == scores.keys()
    for name, loss in losses.items():
        assert loss.item() == pytest.approx(softmax_contrast(scores[name]).item() / 3, rel=1e-5), name


def test_training_mixes_anew_each_step_and_enters_all_three_keys():
    objective, batch = make(), make_batch()
    torch.manual_seed(11)
    mixing = draw_mixing(4)
    scores = by_hand(objective, batch, mixing)
    keys = objective.teacher_projection(objective.teacher_encoder(batch.images[:, 1]).pooled)
    before = objective.queue.read()
    torch.manual_seed(11)
    losses = objective(batch)
    for name, loss in losses.items():  # all three with the queue as the step found it
        assert loss.item() == pytest.approx(softmax_contrast(scores[name]).item() / 3, rel=1e-5), name
    rows = objective.queue.rows
    torch.testing.assert_close(rows[:4], F.normalize(keys, dim=1))
    torch.testing.assert_close(rows[8:12], F.normalize(mixing.of(keys), dim=1))
    torch.testing.assert_close(rows[4:8].norm(dim=1), torch.ones(4))
    assert torch.equal(rows[12:], before[12:]) and objective.queue.position == 12
    again = objective(batch)
    assert not torch.equal(again["mixed_pictures"], losses["mixed_pictures"])


def test_the_first_batch_fixes_the_normaliser_of_nce():
    objective = make(loss="nce")
    assert objective.log_z.isnan()
    objective.eval()(make_batch())
    assert objective.log_z.isnan()  # not by validation
    objective.train()
    first = make_batch(seed=1)
    torch.manual_seed(2)
    scores = by_hand(objective, first, draw_mixing(4))
    torch.manual_seed(2)
    losses = objective(first)
    log_z = log_normaliser(scores["pictures"])
    torch.testing.assert_close(objective.log_z, log_z)
    for name, loss in losses.items():
        assert loss.item() == pytest.approx(noise_contrast(scores[name], log_z).item() / 3, rel=1e-4), name
    fixed = objective.log_z.clone()
    objective(make_batch(seed=3))
    assert torch.equal(objective.log_z, fixed)
    other = make(loss="nce")
    other.load_state_dict(objective.state_dict())
    assert torch.equal(other.log_z, fixed)


def test_validation_is_the_same_each_time():
    objective, batch = make().eval(), make_batch()
    state = torch.get_rng_state()
    losses = [objective(batch) for _ in range(2)]
    assert all(torch.equal(losses[0][name], losses[1][name]) for name in losses[0])
    assert torch.equal(torch.get_rng_state(), state)  # and takes nothing from the training's random numbers


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"loss": "hinge"}, "loss 'hinge' is not one of softmax, nce"),
        ({"queue_size": 18}, "queue of 18 embeddings is not a multiple of the batch of 4"),
        ({"projection": "cubic"}, "Unknown projection 'cubic'"),
        ({"temperature": -1.0}, "temperature -1"),
    ],
)
def test_settings_that_do_not_fit_are_refused(changes, named):
    with pytest.raises(ValueError, match=named):
        make(**changes)(make_batch())


def test_the_published_defaults():
    config = C2LConfig()
    assert (config.temperature, config.embedding_width, config.queue_size) == (0.07, 128, 16_384)
    assert (config.momentum, config.encoder["name"]) == (0.999, "radiograph_transformer")
