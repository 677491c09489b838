"""The parts that a recipe describes: objective, tokenizers, encoder; built from their sections."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from torch import nn

from lib.config import build, to_plain
from lib.data.study import POSITIONS
from lib.data.tokenizer import PieceTokenizer
from lib.models import ENCODERS
from lib.models.encoder import has_preset
from lib.objectives import OBJECTIVES
from lib.registry import resolve
from workbench.inputs import resolve_place


@dataclasses.dataclass(kw_only=True)
class LoaderConfig:
    """Batches of pre-training.

    Attributes:
        batch_size: studies; 32 in REFERS (section 4.2).
        positions: of the views that are taken, of `lib.data.study.POSITIONS`; empty: all, as in both papers.
            Studies without such a view are left out.
    """

    batch_size: int = 32
    positions: list[str] = dataclasses.field(default_factory=list)

    def __post_init__(self):
        if unknown := [name for name in self.positions if name not in POSITIONS]:
            raise ValueError(
                f"loader.positions {unknown[0]!r} is no position of a view. Known: {', '.join(POSITIONS)}."
            )


@dataclasses.dataclass(kw_only=True)
class TokenizerConfig:
    """The vocabulary of the report transformer, which the training reports give.

    Attributes:
        vocab_size: entries at most; 10,000 in the published code of REFERS.
    """

    vocab_size: int = 10_000


def read_objective(values: Mapping[str, Any], *, where: str) -> dict[str, Any]:
    """Return a complete objective section: `name` and every field of the objective's `Config`.

    Raises:
        ValueError: unknown objective or field; names the place.
        FileNotFoundError: the text encoder is in a package that is not installed.
    """
    config = objective_config(values, where=where)
    if getattr(config, "text", None) and config.text.folder:
        config.text.folder = str(resolve_place(config.text.folder))
    if isinstance(config.encoder, Mapping):  # any encoder will do, and the section names one
        config.encoder = read_encoder(config.encoder, where=f"{where}.encoder")
    return {"name": values["name"], **to_plain(config)}


def objective_config(values: Mapping[str, Any], *, where: str = "objective") -> Any:
    """Return the objective's `Config` of a section."""
    return build(resolve(_name(values, where), OBJECTIVES).Config, _without_name(values), where=where)


def make_objective(values: Mapping[str, Any], tokenizers: Mapping[str, PieceTokenizer]) -> nn.Module:
    """Build the objective of a complete section, with the vocabularies that it reads."""
    kind = resolve(values["name"], OBJECTIVES)
    sizes = {f"{name}_vocab_size": len(tokenizers[name]) for name in kind.reads}
    return kind(objective_config(values), **sizes)


def read_encoder(values: Mapping[str, Any], *, where: str) -> dict[str, Any]:
    """Return a complete encoder section: `name`, all fields of the encoder's `Config`, its `preset` if any.

    Raises:
        ValueError: unknown encoder or field; names the place.
        FileNotFoundError: the weights are in a package that is not installed.
    """
    name, fields = _name(values, where), _without_name(values)
    encoder = resolve(name, ENCODERS)
    preset = {"preset": fields.pop("preset", "paper")} if has_preset(name) else {}
    section = {"name": name, **preset, **dataclasses.asdict(build(encoder.Config, fields, where=where))}
    if section.get("weights"):
        section["weights"] = str(resolve_place(section["weights"]))
    return section


def _name(values: Mapping[str, Any], where: str) -> str:
    if "name" not in values:
        raise ValueError(f"{where}: it needs a `name`.")
    return values["name"]


def _without_name(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key != "name"}
