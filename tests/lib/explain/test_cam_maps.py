"""Class activation maps against their formulas, spelled out, and against the library's own way."""

import numpy as np
import pytest
import torch
from explained import ENCODERS, TARGETS, make_classifier, make_images

from lib.explain.cam import cam
from lib.explain.eigen_cam import eigen_cam
from lib.explain.library_cam import grad_cam, grad_cam_plus_plus, layer_cam


def features_and_gradients(classifier, images):
    """Return feature maps and gradients [N, D, rows, columns] by backward hooks and a loop over images."""
    layer, kept = classifier.encoder.cam_layer(), {}

    def keep(module, inputs, output):
        output.retain_grad()
        kept["output"] = output

    features, gradients = [], []
    for image, target in zip(images, TARGETS, strict=True):
        handle = layer.module.register_forward_hook(keep)
        classifier(image[None])[0, target].backward()
        handle.remove()
        features.append(layer.reshape(kept["output"].detach()))
        gradients.append(layer.reshape(kept["output"].grad))
    classifier.zero_grad(set_to_none=True)
    return torch.cat(features).double(), torch.cat(gradients).double()


@pytest.mark.parametrize("kind", ENCODERS)
def test_gradient_maps_are_those_of_their_papers(kind):
    classifier, images = make_classifier(kind), make_images()
    features, gradients = features_and_gradients(classifier, images)
    expected = {grad_cam: [], grad_cam_plus_plus: [], layer_cam: []}
    for feature, gradient in zip(features, gradients, strict=True):
        grad, plus, layer = (torch.zeros(feature.shape[1:], dtype=torch.float64) for _ in range(3))
        constant = 1e-6 * gradient.abs().max() ** 2  # the library's, as a share of the largest gradient
        for channel, slope in zip(feature, gradient, strict=True):
            grad += slope.mean() * channel
            layer += slope.clamp(min=0) * channel
            below = 2 * slope**2 + channel.sum() * slope**3
            plus += (slope**2 / (below + constant) * slope.clamp(min=0)).sum() * channel
        for found, method in ((grad, grad_cam), (plus, grad_cam_plus_plus), (layer, layer_cam)):
            expected[method].append(found.clamp(min=0))
    for method, maps in expected.items():
        found = method(classifier, images, TARGETS).double()
        wanted = torch.stack(maps)
        assert (found - wanted).abs().max() < 2e-3 * wanted.max(), method.__name__


@pytest.mark.parametrize("kind", ("paper", "official", "resnet"))
def test_grad_cam_is_that_of_the_library_scaled(kind):
    """The library stretches its map from the smallest to the largest value."""
    from pytorch_grad_cam import GradCAM
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    classifier, images = make_classifier(kind), make_images()
    layer = classifier.encoder.cam_layer()
    found = grad_cam(classifier, images, TARGETS).numpy()
    with GradCAM(classifier, [layer.module], layer.reshape) as library:
        library.get_target_width_height = lambda images: found.shape[:0:-1]  # no enlargement
        theirs = library(images, [ClassifierOutputTarget(int(target)) for target in TARGETS])
    low, high = found.min((1, 2), keepdims=True), found.max((1, 2), keepdims=True)
    np.testing.assert_allclose(found - low, theirs * (high - low), atol=1e-4 * high.max())
    assert (high > 0).any()


@pytest.mark.parametrize("kind", ("paper", "official", "resnet"))
def test_eigen_cam_is_that_of_the_library_up_to_its_sign(kind):
    from pytorch_grad_cam.utils.svd_on_activations import get_2d_projection

    classifier, images = make_classifier(kind), make_images()
    features, _ = features_and_gradients(classifier, images)
    theirs = get_2d_projection(features.numpy())
    for found, one in zip(eigen_cam(classifier, images).numpy(), theirs, strict=True):
        wanted = one if one.max() > -one.min() else -one
        np.testing.assert_allclose(found, wanted.clip(0), atol=1e-3 * wanted.max())


@pytest.mark.parametrize("feature_norm", ("none", "batch"))
@pytest.mark.parametrize("kind", ("paper", "resnet"))
def test_cam_sums_to_the_logit_where_places_are_pooled(kind, feature_norm, monkeypatch):
    classifier, images = make_classifier(kind, feature_norm), make_images()
    logits = classifier(images).gather(1, TARGETS[:, None]).squeeze(1) - classifier.head.bias[TARGETS]
    with monkeypatch.context() as patch:  # before what speaks against is cut off
        patch.setattr(torch.Tensor, "clamp", lambda values, min: values)
        maps = cam(classifier, images, TARGETS)
    torch.testing.assert_close(maps.mean((1, 2)), logits, rtol=1e-3, atol=1e-4)
    assert torch.equal(cam(classifier, images, TARGETS), maps.clamp(min=0))


@torch.no_grad()
def test_places_lie_row_by_row():
    classifier, images = make_classifier("resnet", "none"), make_images()
    tokens, maps = classifier.encoder(images).tokens, cam(classifier, images, TARGETS)
    for i, target in enumerate(TARGETS):
        value = float(tokens[i, 2] @ classifier.head.weight[target])  # row 1, column 0
        assert maps[i, 1, 0].item() == pytest.approx(max(value, 0), rel=1e-4)
