import pytest
import torch
from two_crops_batch import RESNET, TRANSFORMER, make_batch

from lib.losses.nt_xent import nt_xent
from lib.objectives.simclr import SimCLR, SimCLRConfig


def make(**changes) -> SimCLR:
    torch.manual_seed(0)
    return SimCLR(SimCLRConfig(**({"embedding_width": 8, "encoder": TRANSFORMER} | changes)))


def test_the_loss_is_that_of_the_projected_crops():
    objective, batch = make(), make_batch()
    first, second = (objective.projection(objective.encoder(batch.images[:, crop]).pooled) for crop in (0, 1))
    loss = objective(batch)["contrastive"]
    assert loss.item() == pytest.approx(nt_xent(first, second, temperature=0.1).item(), rel=1e-5)


def test_the_papers_defaults():
    config = SimCLRConfig()
    assert (config.temperature, config.embedding_width, config.encoder["name"]) == (0.1, 128, "resnet")


def test_any_encoder_will_do():
    loss = make(encoder=RESNET)(make_batch(image_size=32))["contrastive"]
    assert loss.isfinite()


@pytest.mark.parametrize(
    ("batch", "named"),
    [(make_batch(crops=1), "the batch has one: load it with crops=2"), (make_batch(1), "one picture")],
)
def test_batches_without_a_question_are_refused(batch, named):
    with pytest.raises(ValueError, match=named):
        make()(batch)


def test_a_temperature_that_is_not_positive_is_refused():
    with pytest.raises(ValueError, match="temperature 0"):
        make(temperature=0.0)
