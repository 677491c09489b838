"""Where a classifier looks: one map per image, by any of the methods.

Letters: N images, C channels, H and W sides of an image, O outputs of the head.
"""

import contextlib
import inspect
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from lib.explain import DESCRIPTIONS, METHODS, OF_ATTENTION
from lib.explain.places import on_cells
from lib.registry import resolve


def explain(
    classifier: nn.Module,
    images: Tensor,
    method: str,
    *,
    targets: Tensor,
    layer: int = -1,
    head: int | None = None,
) -> Tensor:
    """Compute where a classifier looks for an output of its head.

    Everything is computed in float32, whatever the training used. The classifier is left as it was: no hooks,
    no gradients.

    Args:
        classifier: `lib.objectives.label_classifier.LabelClassifier`, or any module with an `encoder` of
            `lib.models.ENCODERS`, a `norm` of its pooled feature and a linear `head`; in evaluation mode.
        images: `[N, C, H, W]` on its device, normalised as in training.
        method: one of `lib.explain.METHODS`.
        targets: output of the head to explain in each image, int64 `[N]`; `output_of` tells it from a target.
            Eigen-CAM, attention and rollout look at none.
        layer: block whose attention is shown, or up to which rollout goes; -1: the last.
        head: attention head that is shown; None: the mean over all.

    Returns:
        Float32 `[N, rows, columns]`, cells of equal size that cover the whole image; finite, not negative,
        unscaled. Transformers: one cell per patch. Convolutional encoders: `lib.explain.places`.

    Raises:
        ValueError: a method that is unknown or does not fit the encoder, a layer, head or output that is not
            there or that the method has no use for; images or weights that give no finite map.
    """
    compute = resolve(method, METHODS)
    assert not classifier.training, "explanations are those of evaluation"
    encoder = classifier.encoder
    if method not in methods_of(encoder):
        raise ValueError(
            f"{type(encoder).__name__} has no attention, so no {method!r}. Take one of: "
            f"{', '.join(methods_of(encoder))}."
        )
    taken = inspect.signature(compute).parameters
    options = {}
    if "targets" in taken:
        options["targets"] = _checked_targets(targets, images, classifier.head.out_features)
    if "layer" in taken:
        options["layer"] = _checked_layer(layer, len(encoder.blocks))
    elif layer != -1:
        raise ValueError(f"Method {method!r} has one layer of its own; leave out layer={layer}.")
    if "head" in taken:
        options["head"] = _checked_head(head, encoder.blocks[0].attention.num_heads)
    elif head is not None:
        raise ValueError(f"Method {method!r} looks at no single head; leave out head={head}.")
    with _left_alone(classifier), torch.autocast(images.device.type, enabled=False):
        maps = compute(classifier, images.float(), **options)
        if hasattr(encoder, "place_centres"):
            maps = on_cells(maps, encoder.place_centres, encoder.image_size)
    if not maps.isfinite().all():
        raise ValueError(
            f"The {method} map is not finite: look for NaN or infinity in images or weights of the run."
        )
    return maps


def describe(method: str) -> str:
    """Say in one line what the map of a method is, for captions.

    Raises:
        ValueError: unknown method.
    """
    resolve(method, METHODS)  # its error knows the closest name
    return DESCRIPTIONS[method]


def methods_of(encoder: nn.Module) -> list[str]:
    """Return the methods that fit an encoder: all, or those that need no attention."""
    has_attention = hasattr(encoder, "forward_with_attention")
    return [name for name in METHODS if has_attention or name not in OF_ATTENTION]


def takes(method: str) -> tuple[str, ...]:
    """Return which of "targets", "layer" and "head" change the map of a method.

    Raises:
        ValueError: unknown method.
    """
    parameters = inspect.signature(resolve(method, METHODS)).parameters
    return tuple(name for name in ("targets", "layer", "head") if name in parameters)


def output_of(target: int, task: str) -> int:
    """Return which output of the head stands for a target.

    Args:
        target: its place among the targets.
        task: of the classifier; for "binary" the one target has two outputs, the second one says "yes".
    """
    return 1 + target if task == "binary" else target


def _checked_targets(targets: Tensor, images: Tensor, num_outputs: int) -> Tensor:
    if targets.shape != (len(images),):
        raise ValueError(
            f"targets have shape {tuple(targets.shape)}; give one output of the head for each of the "
            f"{len(images)} images."
        )
    if len(targets) and not 0 <= int(targets.min()) <= int(targets.max()) < num_outputs:
        raise ValueError(
            f"targets go from {int(targets.min())} to {int(targets.max())}, the head has outputs 0 to "
            f"{num_outputs - 1}."
        )
    return targets.to(images.device)


def _checked_layer(layer: int, depth: int) -> int:
    if not -depth <= layer < depth:
        raise ValueError(f"There is no layer {layer}: give 0 to {depth - 1}, or -1 for the last.")
    return layer % depth


def _checked_head(head: int | None, num_heads: int) -> int | None:
    if head is not None and not 0 <= head < num_heads:
        raise ValueError(f"There is no head {head}: give 0 to {num_heads - 1}, or None for their mean.")
    return head


@contextlib.contextmanager
def _left_alone(module: nn.Module) -> Iterator[None]:
    """Compute gradients of features alone: those of the weights would cost time and be left behind."""
    learnt = [parameter for parameter in module.parameters() if parameter.requires_grad]
    for parameter in learnt:
        parameter.requires_grad_(False)
    try:
        with torch.enable_grad():
            yield
    finally:
        for parameter in learnt:
            parameter.requires_grad_(True)
