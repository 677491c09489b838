"""Small classifiers with random weights, one of each kind of encoder, and what is explained of them."""

import torch
from torch import Tensor

from lib.models.encoder import make_encoder
from lib.models.heads import Classifier

SIZE = 64
TRANSFORMER = dict(
    name="radiograph_transformer",
    image_size=SIZE,
    patch_size=16,
    width=24,
    depth=3,
    num_heads=4,
    mlp_width=32,
)
ENCODERS = {
    "paper": TRANSFORMER,
    "official": TRANSFORMER | {"preset": "official"},
    "plain": TRANSFORMER | {"aggregation": "none"},
    "resnet": dict(name="resnet", depth=18, image_size=SIZE, base_width=8),
}
TARGETS = torch.tensor([0, 2, 1])


def make_classifier(kind: str, feature_norm: str = "batch") -> Classifier:
    """Return a classifier of three outputs whose every weight counts."""
    torch.manual_seed(0)
    classifier = Classifier(make_encoder(ENCODERS[kind]), 3, feature_norm, dropout=0.5)
    for name, parameter in classifier.named_parameters():
        if name.startswith("head") or "aggregation_embedding" in name:
            torch.nn.init.normal_(parameter)
        elif kind != "resnet" and name.endswith("query_key_value.weight"):
            torch.nn.init.normal_(parameter, std=0.3)  # attention that is not flat
    if feature_norm == "batch":
        classifier.norm.running_mean.normal_()
        classifier.norm.running_var.uniform_(0.5, 2)
    return classifier.eval()


def make_images() -> Tensor:
    """Return three images of noise."""
    return torch.randn(3, 1, SIZE, SIZE, generator=torch.Generator().manual_seed(1))
