"""Weights from files into modules, strictly: nothing is skipped in silence."""

import dataclasses
import hashlib
import pickle
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Self

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

NUM_NAMED = 5
"""Entries of each kind that an error names; of weights of another architecture all are wrong."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class LoadedWeights:
    """Where the weights come from that an encoder begins with.

    Attributes:
        file: its name, without folders.
        sha256: of its bytes.
        num_matched: entries of the encoder that are as in the file.
        adapted: entries of the encoder that are not, and what was done.
        ignored: entries of the file that the encoder has no use for.
        initial: entries of the encoder that the file does not have, and that stayed as initialised.
        differences: what the encoder does otherwise than the network that the weights are from.
    """

    file: str
    sha256: str
    num_matched: int
    adapted: dict[str, str]
    ignored: list[str]
    initial: list[str]
    differences: list[str]

    @classmethod
    def of(
        cls,
        module: nn.Module,
        path: Path,
        *,
        ignored: Sequence[str] = (),
        adapted: Mapping[str, str] = MappingProxyType({}),
        initial: Sequence[str] = (),
        differences: Sequence[str] = (),
    ) -> Self:
        """Describe what a module took from a file; what is not mentioned here is as in the file."""
        return cls(
            file=path.name,
            sha256=file_sha256(path),
            num_matched=len(module.state_dict().keys() - adapted.keys() - set(initial)),
            adapted=dict(adapted),
            ignored=sorted(ignored),
            initial=sorted(initial),
            differences=list(differences),
        )


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file, 64 hex digits."""
    with open(path, "rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def load_renamed(
    module: nn.Module,
    state_dict: Mapping[str, Tensor],
    names: Mapping[str, tuple[str, ...]],
    *,
    tied: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Copy weights that carry other names into a module.

    Args:
        module: takes the weights.
        state_dict: the weights under their own names.
        names: for every entry of the module the name it has in `state_dict`; several names are stacked
            along the first axis.
        tied: entries of `state_dict` that the module does not hold twice -> the entry they must equal.

    Raises:
        ValueError: entries that are missing, unexpected, of another shape or not tied; names the first ones.
    """
    own = module.state_dict()
    assert names.keys() == own.keys(), f"names do not cover the module: {names.keys() ^ own.keys()}"
    expected = [name for sources in names.values() for name in sources] + list(tied)
    missing = [name for name in expected if name not in state_dict]
    unexpected = sorted(state_dict.keys() - set(expected))
    stacked = {
        # Counters of batch norms have no axis to stack along, and only ever one source.
        ours: state_dict[sources[0]]
        if len(sources) == 1
        else torch.cat([state_dict[name] for name in sources])
        for ours, sources in names.items()
        if all(name in state_dict for name in sources)
    }
    misshapen = [
        f"{', '.join(names[ours])} {tuple(weights.shape)} instead of {tuple(own[ours].shape)}"
        for ours, weights in stacked.items()
        if weights.shape != own[ours].shape
    ]
    untied = [
        f"{name} (differs from {twin})"
        for name, twin in tied.items()
        if name in state_dict and twin in state_dict and not torch.equal(state_dict[name], state_dict[twin])
    ]
    problems = {
        "missing": missing,
        "unexpected": unexpected,
        "of another shape": misshapen,
        "not tied": untied,
    }
    if any(problems.values()):
        found = "; ".join(f"{kind}: {name_few(entries)}" for kind, entries in problems.items() if entries)
        raise ValueError(f"The weights do not fit {type(module).__name__}. Entries {found}.")
    module.load_state_dict(stacked)


def name_few(entries: Sequence[str]) -> str:
    """Name the first entries of a list, and how many more there are."""
    more = len(entries) - NUM_NAMED
    return ", ".join(entries[:NUM_NAMED]) + (f" ... and {more} more" if more > 0 else "")


def load_strictly(module: nn.Module, state_dict: Mapping[str, Tensor]) -> None:
    """Copy weights that carry the module's own names; raises as `load_renamed` does."""
    load_renamed(module, state_dict, {name: (name,) for name in module.state_dict()})


def read_weights(path: Path) -> dict[str, Tensor]:
    """Read a state dict from a file, without executing anything that it may contain.

    Args:
        path: .safetensors, .npz, or whatever else it is called, a state dict that `torch.save` wrote.

    Raises:
        FileNotFoundError: no such file.
        ValueError: not readable, or something else than names with tensors.
    """
    if not path.is_file():
        raise FileNotFoundError(f"Weights {path} do not exist; correct the path.")
    if path.suffix == ".safetensors":
        return _read_safetensors(path)
    if path.suffix == ".npz":
        return _read_npz(path)
    try:
        weights = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError) as error:
        raise ValueError(f"{path} is not a readable file of weights ({error}).") from error
    if not isinstance(weights, Mapping) or not all(isinstance(value, Tensor) for value in weights.values()):
        inside = (
            f"a mapping of {', '.join(map(str, weights))}" if isinstance(weights, Mapping) else type(weights)
        )
        raise ValueError(
            f"{path} holds no state dict (names with tensors) but {inside}; save that part alone."
        )
    return dict(weights)


def load_encoder(encoder: nn.Module, path: Path) -> None:
    """Load the encoder of a pre-training checkpoint.

    Args:
        encoder: takes the weights.
        path: safetensors file of an objective, whose encoder's entries start with `encoder.`.

    Raises:
        FileNotFoundError: no such file.
        ValueError: not a safetensors file, or its encoder does not fit; names the first wrong entries.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"Checkpoint {path} does not exist; pre-train first or correct the path.")
    weights = _read_safetensors(path)
    prefix = "encoder."
    found = {name.removeprefix(prefix): value for name, value in weights.items() if name.startswith(prefix)}
    if not found:
        raise ValueError(f"{path} holds no entry that starts with {prefix!r}: not a pre-training checkpoint.")
    try:
        load_strictly(encoder, found)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except SafetensorError as error:
        raise ValueError(f"{path} is not a readable safetensors file ({error}).") from error


def _read_npz(path: Path) -> dict[str, Tensor]:
    try:
        # From a handle of ours: of a damaged archive, np.load leaves its own open.
        with open(path, "rb") as handle, np.load(handle, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except (ValueError, TypeError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} is not a readable .npz file of arrays ({error}).") from error
    for name, array in arrays.items():
        if array.dtype.kind not in "fiu":  # bfloat16 comes as raw bytes
            raise ValueError(f"{path}: entry {name} has numbers of type {array.dtype}; save it as float32.")
    return {name: torch.from_numpy(array) for name, array in arrays.items()}
