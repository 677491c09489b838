"""What every method promises, and what a person may choose wrongly."""

import numpy as np
import pytest
import torch
from explained import ENCODERS, TARGETS, make_classifier, make_images

from lib.explain import DESCRIPTIONS, METHODS, OF_ATTENTION
from lib.explain.explain import describe, explain, methods_of, output_of, takes
from lib.objectives.label_classifier import target_probabilities

CASES = [
    (kind, method)
    for kind in ENCODERS
    for method in METHODS
    if kind != "resnet" or method not in OF_ATTENTION
]


@pytest.mark.parametrize(("kind", "method"), CASES)
def test_maps_are_finite_positive_and_leave_the_classifier_alone(kind, method):
    classifier, images = make_classifier(kind), make_images()
    frozen = next(classifier.encoder.parameters()).requires_grad_(False)
    before = {name: value.clone() for name, value in classifier.state_dict().items()}
    generator = torch.get_rng_state()
    with torch.no_grad():
        maps = explain(classifier, images, method, targets=TARGETS)

    side = 8 if kind == "resnet" else 4
    assert maps.shape == (3, side, side) and maps.dtype == torch.float32 and not maps.requires_grad
    assert maps.isfinite().all() and (maps >= 0).all() and maps.any()

    assert not any(part.training for part in classifier.modules())
    assert not any(part._forward_hooks or part._backward_hooks for part in classifier.modules())
    assert all(parameter.grad is None for parameter in classifier.parameters())
    assert [parameter.requires_grad for parameter in classifier.parameters()].count(False) == 1
    assert not frozen.requires_grad and not images.requires_grad and torch.is_grad_enabled()
    assert all(torch.equal(value, before[name]) for name, value in classifier.state_dict().items())
    assert torch.equal(torch.get_rng_state(), generator)


@pytest.mark.parametrize(("kind", "method"), CASES)
def test_the_images_of_a_batch_do_not_mix(kind, method):
    classifier, images = make_classifier(kind), make_images()
    together = explain(classifier, images, method, targets=TARGETS)
    for i in range(3):
        alone = explain(classifier, images[i : i + 1], method, targets=TARGETS[i : i + 1])
        np.testing.assert_allclose(together[i], alone[0], rtol=1e-3, atol=1e-5 * float(together[i].max()))


@pytest.mark.parametrize(("kind", "method"), CASES)
def test_targets_count_where_a_method_takes_them(kind, method):
    classifier, images = make_classifier(kind), make_images()
    maps, others = (explain(classifier, images, method, targets=t) for t in (TARGETS, (TARGETS + 1) % 3))
    assert torch.equal(maps, others) != ("targets" in takes(method))


@pytest.mark.parametrize("method", ("cam", "grad_cam", "relevance"))
def test_an_autocast_around_it_changes_nothing(method):
    classifier, images = make_classifier("paper"), make_images()
    expected = explain(classifier, images, method, targets=TARGETS)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(explain(classifier, images, method, targets=TARGETS), expected)


def test_a_failure_leaves_the_classifier_alone_too():
    classifier = make_classifier("resnet")
    with pytest.raises(ValueError, match="Images have shape"):
        explain(classifier, torch.zeros(3, 1, 32, 32), "grad_cam", targets=TARGETS)
    assert all(parameter.requires_grad for parameter in classifier.parameters())
    assert not any(part._forward_hooks for part in classifier.modules())


def test_wrong_choices_are_told():
    classifier, images = make_classifier("paper"), make_images()
    with pytest.raises(ValueError, match="Did you mean 'grad_cam'"):
        explain(classifier, images, "gradcam", targets=TARGETS)
    with pytest.raises(ValueError, match="Did you mean 'rollout'"):
        describe("roll_out")
    with pytest.raises(ValueError, match="ResNet has no attention, so no 'rollout'. Take one of: cam, eigen"):
        explain(make_classifier("resnet"), images, "rollout", targets=TARGETS)
    with pytest.raises(ValueError, match="no layer 3: give 0 to 2"):
        explain(classifier, images, "attention", targets=TARGETS, layer=3)
    with pytest.raises(ValueError, match="no head 4: give 0 to 3"):
        explain(classifier, images, "attention", targets=TARGETS, head=4)
    with pytest.raises(ValueError, match="leave out layer=1"):
        explain(classifier, images, "cam", targets=TARGETS, layer=1)
    with pytest.raises(ValueError, match="leave out head=0"):
        explain(classifier, images, "rollout", targets=TARGETS, head=0)
    with pytest.raises(ValueError, match="from 0 to 3, the head has outputs 0 to 2"):
        explain(classifier, images, "cam", targets=torch.tensor([0, 3, 1]))
    with pytest.raises(ValueError, match=r"shape \(2,\); give one output of the head for each of the 3"):
        explain(classifier, images, "cam", targets=TARGETS[:2])
    with pytest.raises(ValueError, match="not finite"):
        explain(classifier, images * float("nan"), "cam", targets=TARGETS)


def test_a_head_that_weighs_nothing_gives_maps_of_zeros():
    for kind, method in CASES:
        if "targets" in takes(method):
            classifier = make_classifier(kind)
            torch.nn.init.zeros_(classifier.head.weight)
            assert not explain(classifier, make_images(), method, targets=TARGETS).any()


def test_every_method_is_described_and_no_other():
    assert DESCRIPTIONS.keys() == METHODS.keys()
    assert all(describe(method).isascii() and "\n" not in describe(method) for method in METHODS)
    assert methods_of(make_classifier("paper").encoder) == list(METHODS)
    assert takes("attention") == ("layer", "head") and takes("cam") == ("targets",)


def test_output_of_a_target_is_what_its_probability_grows_with():
    logits = torch.zeros(1, 2)
    for task, target in (("multi_label", 1), ("binary", 0), ("multi_class", 1)):
        raised = logits.clone()
        raised[:, output_of(target, task)] += 1
        gain = target_probabilities(raised, task) - target_probabilities(logits, task)
        assert gain[0, target] > 0


def test_the_smallest_image_has_one_place(monkeypatch):
    monkeypatch.setitem(ENCODERS, "resnet", ENCODERS["resnet"] | {"image_size": 32})
    maps = explain(make_classifier("resnet"), make_images()[..., :32, :32], "cam", targets=TARGETS)
    assert maps.shape == (3, 4, 4) and (maps == maps[:, :1, :1]).all()
