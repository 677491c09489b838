"""Two kinds of files of ImageNet's vision transformers, by their entries (Dosovitskiy et al. 2021).

State dicts of torchvision, and the .npz files of google-research's vision_transformer, those of "augreg"
(Steiner et al. 2021) among them.

Letters: D width, C channels, S side of a patch, T tokens (the class token first).
"""

from collections.abc import Mapping
from typing import NamedTuple

from torch import Tensor

from lib.models.pretrained import name_few

QUERY_KEY_VALUE = ("query", "key", "value")


class Kind(NamedTuple):
    """What the files of one origin look like."""

    mean: tuple[float, float, float]  # of the pictures that the weights were trained with
    std: tuple[float, float, float]
    heads: tuple[str, ...]  # how entries begin that only name ImageNet's classes
    patches: str  # laid out as [D, C, S, S]
    patch_bias: str
    positions: str  # [1, T, D]
    others: Mapping[str, str]  # our name -> theirs
    block: str  # how the entries of a block begin
    parts: Mapping[str, tuple[str, ...]]  # our name in a block -> theirs; several are stacked

    def names(self, depth: int) -> dict[str, tuple[str, ...]]:
        """Map our names to theirs."""
        names = {
            "patch_embedding.weight": (self.patches,),
            "patch_embedding.bias": (self.patch_bias,),
            "position_embedding": (self.positions,),
            **{ours: (theirs,) for ours, theirs in self.others.items()},
        }
        for layer in range(depth):
            begin = self.block.format(layer)
            for ours, theirs in self.parts.items():
                names[f"blocks.{layer}.{ours}"] = tuple(begin + name for name in theirs)
        return names


def _linear(ours: str, theirs: str) -> dict[str, tuple[str, ...]]:
    return {f"{ours}.{kind}": (f"{theirs}.{kind}",) for kind in ("weight", "bias")}


def _flax(ours: str, *theirs: str, weight: str = "kernel") -> dict[str, tuple[str, ...]]:
    kinds = {"weight": weight, "bias": "bias"}
    return {f"{ours}.{kind}": tuple(f"{one}/{name}" for one in theirs) for kind, name in kinds.items()}


TORCHVISION = Kind(
    mean=(0.485, 0.456, 0.406),
    std=(0.229, 0.224, 0.225),
    heads=("heads.",),
    patches="conv_proj.weight",
    patch_bias="conv_proj.bias",
    positions="encoder.pos_embedding",
    others={
        "aggregation_embedding": "class_token",
        "norm.weight": "encoder.ln.weight",
        "norm.bias": "encoder.ln.bias",
    },
    block="encoder.layers.encoder_layer_{}.",
    parts={
        **_linear("attention_norm", "ln_1"),
        "attention.query_key_value.weight": ("self_attention.in_proj_weight",),
        "attention.query_key_value.bias": ("self_attention.in_proj_bias",),
        **_linear("attention.output", "self_attention.out_proj"),
        **_linear("perceptron_norm", "ln_2"),
        **_linear("perceptron.hidden", "mlp.0"),
        **_linear("perceptron.output", "mlp.3"),
    },
)
GOOGLE = Kind(
    mean=(0.5, 0.5, 0.5),
    std=(0.5, 0.5, 0.5),
    heads=("head/", "pre_logits/"),
    patches="embedding/kernel",
    patch_bias="embedding/bias",
    positions="Transformer/posembed_input/pos_embedding",
    others={
        "aggregation_embedding": "cls",
        "norm.weight": "Transformer/encoder_norm/scale",
        "norm.bias": "Transformer/encoder_norm/bias",
    },
    block="Transformer/encoderblock_{}/",
    parts={
        **_flax("attention_norm", "LayerNorm_0", weight="scale"),
        **_flax(
            "attention.query_key_value",
            *(f"MultiHeadDotProductAttention_1/{part}" for part in QUERY_KEY_VALUE),
        ),
        **_flax("attention.output", "MultiHeadDotProductAttention_1/out"),
        **_flax("perceptron_norm", "LayerNorm_2", weight="scale"),
        **_flax("perceptron.hidden", "MlpBlock_3/Dense_0"),
        **_flax("perceptron.output", "MlpBlock_3/Dense_1"),
    },
)


def lay_out(found: Mapping[str, Tensor], num_heads: int) -> tuple[Kind, dict[str, Tensor]]:
    """Return of which kind a file is, and its entries under their names, laid out as PyTorch does.

    Args:
        found: all entries of the file.
        num_heads: attention heads of a block, which no shape of PyTorch's would tell.

    Raises:
        ValueError: of neither kind, or with another number of heads.
    """
    if TORCHVISION.patches in found:
        return TORCHVISION, {_today(name): value for name, value in found.items()}
    if GOOGLE.patches not in found:
        raise ValueError(
            f"It has neither {TORCHVISION.patches!r} (torchvision) nor {GOOGLE.patches!r} (google-research), "
            f"so it is no vision transformer that is known here. Entries: {name_few(sorted(found))}."
        )
    query = found.get(f"{GOOGLE.block.format(0)}MultiHeadDotProductAttention_1/query/kernel")
    if query is not None and query.ndim == 3 and query.shape[1] != num_heads:
        raise ValueError(f"The weights have {query.shape[1]} heads, the encoder {num_heads}; set num_heads.")
    return GOOGLE, {name: _as_pytorch(name, value) for name, value in found.items()}


def _today(name: str) -> str:
    """Return today's name of an entry of torchvision's older files."""
    return name.replace(".mlp.linear_1.", ".mlp.0.").replace(".mlp.linear_2.", ".mlp.3.")


def _as_pytorch(name: str, value: Tensor) -> Tensor:
    """Change the order of axes; what has other axes than expected stays, for the check of shapes."""
    if name == GOOGLE.patches and value.ndim == 4:
        return value.permute(3, 2, 0, 1)  # [S, S, C, D] to [D, C, S, S]
    *_, part, kind = ("", *name.split("/"))
    if part in QUERY_KEY_VALUE and value.ndim > 1:  # [D, heads, D / heads] to [D, D], bias to [D]
        return value.flatten(1).T if kind == "kernel" else value.flatten()
    if part == "out" and value.ndim == 3:
        value = value.flatten(0, 1)
    return value.T if kind == "kernel" and value.ndim == 2 else value
