"""What goes through the layer that an encoder is explained by.

Letters: N images, D width, O outputs of the head.
"""

from typing import Any, NamedTuple

from torch import Tensor, nn

from lib.models.encoder import CamLayer


class CamFeatures(NamedTuple):
    """Features of N images at `encoder.cam_layer()`.

    Attributes:
        layer: the layer, and how its output becomes feature maps.
        output: of the layer, as it came; logits have a gradient with respect to it.
        logits: of the head, `[N, O]`.
    """

    layer: CamLayer
    output: Tensor
    logits: Tensor

    @property
    def features(self) -> Tensor:
        """Return feature maps `[N, D, rows, columns]`."""
        return self.layer.reshape(self.output.detach())


def cam_features(classifier: nn.Module, images: Tensor) -> CamFeatures:
    """Compute the logits of images and keep what the layer gave on the way.

    The graph of gradients begins at the layer, so what lies before it costs no memory.

    Args:
        classifier: see `lib.explain.explain`.
        images: `[N, C, H, W]`.
    """
    layer, kept = classifier.encoder.cam_layer(), []

    def keep(module: nn.Module, inputs: Any, output: Tensor) -> Tensor:
        kept.append(output.detach().requires_grad_())
        return kept[-1]

    handle = layer.module.register_forward_hook(keep)
    try:
        logits = classifier.head(classifier.norm(classifier.encoder(images).pooled))
    finally:
        handle.remove()
    return CamFeatures(layer, kept[0], logits)
