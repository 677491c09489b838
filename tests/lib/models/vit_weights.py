"""A small ViT of torchvision and its weights in the two published layouts."""

from pathlib import Path

import numpy as np
import torch
from torchvision.models import VisionTransformer

SIZES = dict(image_size=32, patch_size=8, hidden_dim=24, num_layers=2, num_heads=4, mlp_dim=40)
OWN = dict(image_size=32, patch_size=8, width=24, depth=2, num_heads=4, mlp_width=40)
"""The same sizes as a radiograph transformer names them."""


def make_vit(seed: int = 0) -> VisionTransformer:
    """Return a network none of whose weights is at its start value, as in a trained one."""
    torch.manual_seed(seed)
    network = VisionTransformer(**SIZES, num_classes=5).eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.normal_(std=0.2)
    return network


def save_torchvision(network: VisionTransformer, path: Path, **changes: torch.Tensor) -> Path:
    """Write a state dict as torchvision's files hold it."""
    torch.save(network.state_dict() | changes, path)
    return path


def google_entries(network: VisionTransformer) -> dict[str, np.ndarray]:
    """Return the weights under the names and in the axes of google-research/vision_transformer."""
    state = {name: value.numpy() for name, value in network.state_dict().items()}
    width, heads = SIZES["hidden_dim"], SIZES["num_heads"]
    entries = {
        "cls": state["class_token"],
        "embedding/kernel": state["conv_proj.weight"].transpose(2, 3, 1, 0),
        "embedding/bias": state["conv_proj.bias"],
        "Transformer/posembed_input/pos_embedding": state["encoder.pos_embedding"],
        "Transformer/encoder_norm/scale": state["encoder.ln.weight"],
        "Transformer/encoder_norm/bias": state["encoder.ln.bias"],
        "head/kernel": state["heads.head.weight"].T,
        "head/bias": state["heads.head.bias"],
        "pre_logits/kernel": np.ones((width, width), np.float32),
        "pre_logits/bias": np.ones(width, np.float32),
    }
    for layer in range(SIZES["num_layers"]):
        own, block = f"encoder.layers.encoder_layer_{layer}", f"Transformer/encoderblock_{layer}"
        attention = f"{block}/MultiHeadDotProductAttention_1"
        for theirs, ours in (("LayerNorm_0", "ln_1"), ("LayerNorm_2", "ln_2")):
            entries[f"{block}/{theirs}/scale"] = state[f"{own}.{ours}.weight"]
            entries[f"{block}/{theirs}/bias"] = state[f"{own}.{ours}.bias"]
        for number, part in enumerate(("query", "key", "value")):
            rows = slice(number * width, (number + 1) * width)
            weight = state[f"{own}.self_attention.in_proj_weight"][rows]
            entries[f"{attention}/{part}/kernel"] = weight.T.reshape(width, heads, -1)
            bias = state[f"{own}.self_attention.in_proj_bias"][rows]
            entries[f"{attention}/{part}/bias"] = bias.reshape(heads, -1)
        weight = state[f"{own}.self_attention.out_proj.weight"]
        entries[f"{attention}/out/kernel"] = weight.T.reshape(heads, -1, width)
        entries[f"{attention}/out/bias"] = state[f"{own}.self_attention.out_proj.bias"]
        for number, ours in enumerate(("mlp.0", "mlp.3")):
            entries[f"{block}/MlpBlock_3/Dense_{number}/kernel"] = state[f"{own}.{ours}.weight"].T
            entries[f"{block}/MlpBlock_3/Dense_{number}/bias"] = state[f"{own}.{ours}.bias"]
    return entries
