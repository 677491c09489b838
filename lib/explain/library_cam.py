"""Maps of package grad-cam: feature maps of one layer, weighted by their gradients.

The package is asked for its formulas alone. Its own way from a model to a map stretches every map to 0..1 and
to the size of the image, and goes back through the whole network to leave gradients in its weights.

Letters: N images, D width.
"""

import torch
from torch import Tensor, nn

from lib.explain.cam_features import cam_features


def grad_cam(classifier: nn.Module, images: Tensor, targets: Tensor) -> Tensor:
    """Weigh each feature map by its mean gradient (Selvaraju et al. 2017): `[N, rows, columns]`."""
    from pytorch_grad_cam import GradCAM

    return _weigh(GradCAM, classifier, images, targets)


def grad_cam_plus_plus(classifier: nn.Module, images: Tensor, targets: Tensor) -> Tensor:
    """Weigh each feature map by its positive gradients (Chattopadhay et al. 2018, Eq. 19).

    The equation was made for features after a ReLU. Those of the radiograph transformer may be negative, and
    its denominator then comes near zero here and there.

    Returns:
        `[N, rows, columns]`.
    """
    from pytorch_grad_cam import GradCAMPlusPlus

    return _weigh(GradCAMPlusPlus, classifier, images, targets)


def layer_cam(classifier: nn.Module, images: Tensor, targets: Tensor) -> Tensor:
    """Weigh each feature by its own positive gradient (Jiang et al. 2021): `[N, rows, columns]`."""
    from pytorch_grad_cam import LayerCAM

    return _weigh(LayerCAM, classifier, images, targets)


def _weigh(kind: type, classifier: nn.Module, images: Tensor, targets: Tensor) -> Tensor:
    """Apply the formula of a class of the package; what speaks against the output is 0."""
    found = cam_features(classifier, images)
    score = found.logits.gather(1, targets[:, None]).sum()  # images do not mix: one gradient serves all
    gradients = found.layer.reshape(torch.autograd.grad(score, found.output)[0])  # [N, D, rows, columns]
    # The formulas stay the same when features are divided by what gradients are multiplied with. Gradients
    # of about 1 keep Grad-CAM++ away from its constant 1e-6, which small ones drown in: those of a mean over
    # 196 places are about 1e-4, squared 1e-8.
    scale = gradients.abs().amax(dim=(1, 2, 3), keepdim=True)
    scale = torch.where(scale > 0, scale, 1)
    library = kind(classifier.encoder, target_layers=[])  # no layers: it hangs no hooks
    activations, gradients = (found.features * scale).cpu().numpy(), (gradients / scale).cpu().numpy()
    values = library.get_cam_image(images, None, None, activations, gradients, False)
    return torch.from_numpy(values).to(images.device).float().clamp(min=0)
