import copy

import pytest
import torch
from two_crops_batch import RESNET, TRANSFORMER, make_batch

from lib.losses.queue_contrast import batch_scores, queue_scores, softmax_contrast
from lib.objectives.moco_v2 import MoCoV2, MoCoV2Config


def make(**changes) -> MoCoV2:
    torch.manual_seed(0)
    sizes = {"embedding_width": 8, "encoder": TRANSFORMER, "queue_size": 12, "momentum": 0.9}
    return MoCoV2(MoCoV2Config(**(sizes | changes)))


def train(objective: MoCoV2, num_steps: int) -> list[dict[str, torch.Tensor]]:
    """Train and return the student's parameters as each step found them."""
    optimizer = torch.optim.SGD([p for p in objective.parameters() if p.requires_grad], lr=0.1)
    seen = []
    for step in range(num_steps):
        parts = {"encoder": objective.encoder, "projection": objective.projection}
        seen.append(
            {
                f"{part}.{name}": parameter.detach().clone()
                for part, module in parts.items()
                for name, parameter in module.named_parameters()
            }
        )
        optimizer.zero_grad()
        objective(make_batch(seed=step))["contrastive"].backward()
        optimizer.step()
    return seen


def test_the_teacher_is_the_moving_average_of_what_the_steps_found():
    objective = make()
    averages = {
        f"{part}.{name}": parameter.detach().double()
        for part in ("encoder", "projection")
        for name, parameter in getattr(objective, part).named_parameters()
    }
    for student in train(objective, 7):
        averages = {name: 0.9 * own + 0.1 * student[name].double() for name, own in averages.items()}
    for name, average in averages.items():
        part, _, rest = name.partition(".")
        found = getattr(objective, f"teacher_{part}").copy.get_parameter(rest)
        torch.testing.assert_close(found.double(), average, rtol=1e-5, atol=1e-6)
        assert found.grad is None
    assert any((average - student[name]).abs().max() > 1e-3 for name, average in averages.items())


def embed(objective: MoCoV2, batch) -> tuple[torch.Tensor, torch.Tensor]:
    queries = objective.projection(objective.encoder(batch.images[:, 0]).pooled)
    keys = objective.teacher_projection(objective.teacher_encoder(batch.images[:, 1]).pooled)
    return queries, keys


def test_training_compares_with_the_teacher_and_with_the_queue():
    objective, batch = make(momentum=1.0), make_batch()
    train(objective, 3)
    scores = queue_scores(*embed(objective, batch), objective.queue.read(), temperature=0.07)
    assert torch.equal(objective(batch)["contrastive"], softmax_contrast(scores))


def test_validation_compares_with_the_other_keys_of_the_batch_and_moves_nothing():
    objective, batch = make(), make_batch()
    train(objective, 3)
    objective.eval()
    expected = softmax_contrast(batch_scores(*embed(objective, batch), temperature=0.07))
    before = copy.deepcopy(objective.state_dict())
    assert torch.equal(objective(batch)["contrastive"], expected)
    after = objective.state_dict()
    assert all(torch.equal(after[name], value) for name, value in before.items())


def test_negatives_are_the_keys_of_earlier_steps_and_never_the_own_one(monkeypatch):
    objective = make()
    read, pushed = [], []
    queue = objective.queue
    monkeypatch.setattr(queue, "read", lambda: read.append(queue.rows.clone()) or read[-1])
    push = queue.push
    monkeypatch.setattr(queue, "push", lambda rows: pushed.append(rows) or push(rows))
    train(objective, 6)
    for step, keys in enumerate(pushed):
        torch.testing.assert_close(keys.norm(dim=1), torch.ones(4))
        alike = (read[step] @ keys.T > 1 - 1e-6).any()
        assert not alike, "a key was a negative in its own step"
        if step >= 3:  # three batches of 4 fill the queue of 12
            earlier = torch.cat(pushed[step - 3 : step])
            same = (read[step][:, None] == earlier[None]).all(dim=-1)
            assert same.any(dim=0).all() and same.any(dim=1).all()


def test_statistics_of_a_resnet_are_those_of_the_groups():
    batch = make_batch(8, image_size=32)
    changes = {"encoder": RESNET, "queue_size": 16}
    whole, halves = (make(shuffle_groups=groups, **changes) for groups in (1, 2))
    losses = [objective(batch)["contrastive"] for objective in (whole, halves)]
    assert not torch.equal(*losses)
    assert whole.teacher_encoder.copy.bn1.num_batches_tracked == 1
    assert halves.teacher_encoder.copy.bn1.num_batches_tracked == 2
    in_evaluation = [make(shuffle_groups=groups, **changes).eval()(batch)["contrastive"] for groups in (1, 2)]
    assert torch.equal(*in_evaluation)


def test_groups_mean_nothing_to_a_transformer():
    batch = make_batch(5)
    losses = [make(shuffle_groups=groups, queue_size=10)(batch)["contrastive"] for groups in (1, 2)]
    assert torch.equal(*losses)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"queue_size": 10}, "queue of 10 embeddings is not a multiple of the batch of 4"),
        ({"encoder": RESNET, "shuffle_groups": 3}, "batch of 4 pictures makes no 3 equal groups"),
        ({"momentum": -0.1}, "momentum -0.1"),
        ({"temperature": 0.0}, "temperature 0"),
    ],
)
def test_settings_that_do_not_fit_are_refused(changes, named):
    image_size = changes.get("encoder", TRANSFORMER)["image_size"]
    with pytest.raises(ValueError, match=named):
        make(**changes)(make_batch(image_size=image_size))


def test_the_papers_defaults():
    config = MoCoV2Config()
    assert (config.temperature, config.embedding_width, config.queue_size) == (0.07, 128, 4096)
    assert (config.momentum, config.shuffle_groups, config.encoder["name"]) == (0.999, 2, "resnet")
