import dataclasses
import math

import pytest
import torch
from torch import nn

from lib.models.encoder import EncoderOutput
from lib.objectives.label_classifier import LabelClassifier, cross_entropy, target_probabilities

NAN = math.nan


class MeanEncoder(nn.Module):
    width = 3

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(3))

    def forward(self, images):  # [N, 1, H, W]
        pooled = images.mean((1, 2, 3))[:, None] * self.scale
        return EncoderOutput(pooled[:, None], pooled)


@dataclasses.dataclass
class LabelledBatch:
    images: torch.Tensor  # [B, 1, 1, H, W]
    labels: torch.Tensor  # [B, all]


def naive_cross_entropy(logits, targets, task):
    """Add up minus the logarithm of the probability of what is true, one term at a time."""
    terms = []
    for outputs, truths in zip(logits.tolist(), targets.tolist(), strict=True):
        if task == "multi_label":
            for output, truth in zip(outputs, truths, strict=True):
                if not math.isnan(truth):
                    probability = 1 / (1 + math.exp(-output))
                    terms.append(-math.log(probability if truth == 1 else 1 - probability))
            continue
        place = int(truths[0]) if task == "binary" else truths.index(1)
        terms.append(-math.log(math.exp(outputs[place]) / sum(map(math.exp, outputs))))
    return sum(terms) / len(terms)


TARGETS = {
    "multi_label": [[1, 0, NAN], [0, NAN, 1], [1, 1, 1], [NAN, NAN, NAN]],
    "binary": [[1], [0], [0], [1]],
    "multi_class": [[0, 1, 0], [1, 0, 0], [0, 0, 1], [0, 1, 0]],
}


@pytest.mark.parametrize("task", TARGETS)
def test_loss_and_probabilities_equal_the_naive_ones(task):
    targets = torch.tensor(TARGETS[task], dtype=torch.float32)
    logits = torch.randn(4, 2 if task == "binary" else 3, generator=torch.Generator().manual_seed(1))
    expected = naive_cross_entropy(logits, targets, task)
    assert cross_entropy(logits, targets, task).item() == pytest.approx(expected, rel=1e-5)
    probabilities = target_probabilities(logits, task)
    assert probabilities.shape == targets.shape
    if task == "multi_label":
        torch.testing.assert_close(probabilities, 1 / (1 + torch.exp(-logits)))
    else:
        everything = logits.exp() / logits.exp().sum(1, keepdim=True)
        torch.testing.assert_close(probabilities, everything[:, 1:] if task == "binary" else everything)


@pytest.mark.parametrize("task", TARGETS)
def test_classifier_takes_its_targets_from_the_batch_and_tunes_everything(task):
    targets = torch.tensor(TARGETS[task], dtype=torch.float32)
    labels = torch.full((4, 6), 0.5)
    columns = [4, 0, 2][: targets.shape[1]]
    labels[:, columns] = targets
    batch = LabelledBatch(torch.randn(4, 1, 1, 5, 5), labels)
    classifier = LabelClassifier(MeanEncoder(), task, columns)
    loss = classifier(batch)["cross_entropy"]
    chance = 1 / 3 if task == "multi_class" else 1 / 2
    assert loss.item() == pytest.approx(-math.log(chance))  # the head starts at zero
    names = [name for name, _ in classifier.parameter_groups()["image"]]
    assert names == ["encoder.scale", "head.weight", "head.bias"]
    assert set(classifier.state_dict()) == set(names)  # a checkpoint's encoder.* is the encoder
    nn.init.normal_(classifier.head.weight)
    classifier(batch)["cross_entropy"].backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in classifier.parameters())


def test_an_unknown_label_has_no_gradient():
    targets = torch.tensor([[1.0, NAN], [NAN, NAN]])
    logits = torch.zeros(2, 2, requires_grad=True)
    cross_entropy(logits, targets, "multi_label").backward()
    assert logits.grad.tolist() == [[-0.5, 0], [0, 0]]


@pytest.mark.parametrize(
    ("task", "expected"),
    {
        # With the target, without it, and one more of each.
        "multi_label": [3 / 5, 2 / 4, 3 / 4],
        "binary": [3 / 6, 3 / 6],
        "multi_class": [2 / 7, 3 / 7, 2 / 7],
    }.items(),
)
def test_the_head_starts_from_the_frequency_of_each_target(task, expected):
    targets = torch.tensor(TARGETS[task], dtype=torch.float32)
    classifier = LabelClassifier(MeanEncoder(), task, range(targets.shape[1]))
    classifier.start_from_frequencies(targets)
    images = torch.randn(2, 1, 1, 5, 5)
    logits = classifier.logits(LabelledBatch(images, torch.zeros(2, targets.shape[1])))
    outputs = logits.sigmoid() if task == "multi_label" else logits.softmax(dim=1)
    assert outputs.tolist() == [pytest.approx(expected, rel=1e-6)] * 2
