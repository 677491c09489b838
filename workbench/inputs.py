"""What a recipe starts from: store, manifest and initial weights, each with its id; and the device."""

import hashlib
import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from lib.data.splits import Manifest, make_manifest
from lib.data.store import Store
from lib.protocols.finetune import RANDOM, checkpoint_of
from workbench.manifests import manifest_path
from workbench.recipe import PROJECT, Recipe
from workbench.runs import Run, open_run


def describe_data(recipe: Recipe) -> dict[str, Any]:
    """Say which store and manifest a recipe means; the manifest is made where it is missing.

    Without `manifest:` in the recipe it is the one beside the store (`workbench.manifests`).

    Raises:
        FileNotFoundError: no store there.
        ValueError: the manifest belongs to another store.
    """
    store = Store(resolve_place(recipe["store"]))
    seed = recipe.get("split_seed", 0)
    place = recipe.get("manifest", "")
    path = resolve_place(place) if place else manifest_path(store, seed)
    if not path.is_file():
        make_manifest(store, seed=seed).save(path)
    return {
        "store": shorten(store.path),
        "store_id": store.id,
        "synthetic": store.synthetic,
        "manifest": shorten(path),
        "manifest_id": Manifest.load(path, store).id,
    }


def open_data(config: Mapping[str, Any]) -> tuple[Store, Manifest]:
    """Open the store and the manifest that a run's config names.

    Raises:
        FileNotFoundError: they are not where they were.
        ValueError: something else lies there now.
    """
    store = Store(resolve_place(config["store"]))
    manifest = Manifest.load(resolve_place(config["manifest"]), store)
    for kind, opened in (("store", store), ("manifest", manifest)):
        if opened.id != config[f"{kind}_id"]:
            raise ValueError(f"{config[kind]} is not the {kind} of this run any more: it was made again.")
    return store, manifest


def describe_init(init: str, root: Path | str | None) -> dict[str, str]:
    """Say which initial weights a recipe means.

    Args:
        init: "random", a run folder, the id of a run below `root`, or a safetensors file.
        root: of the runs.

    Returns:
        init (the place), init_id (hash of the weights), method (the name for tables, where the recipe gives
        none: that of the pre-training's objective).

    Raises:
        FileNotFoundError: no weights there.
    """
    if init == RANDOM:
        return {"init": RANDOM, "init_id": RANDOM, "method": RANDOM}
    place = resolve_place(init)
    if not place.exists() and "/" not in init:
        place = open_run(init, root).folder
    path = checkpoint_of(str(place))
    if not path.is_file():
        raise FileNotFoundError(
            f"init={init}: there is no checkpoint {path}. Give a finished pre-training run or a "
            "safetensors file."
        )
    with open(path, "rb") as handle:
        digest = hashlib.file_digest(handle, "sha256").hexdigest()
    is_run = (place / "config.yaml").is_file()
    method = Run(place).config.get("objective", {}).get("name") if is_run else None
    return {"init": shorten(place), "init_id": digest, "method": method or place.stem}


def resolve_device(name: str) -> torch.device:
    """Return the device of that name; "auto" is the GPU where there is one.

    Raises:
        ValueError: no such device here.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise ValueError(f"device={name} cannot be used here ({error}). Take auto or cpu.") from error
    return device


def resolve_place(place: str) -> Path:
    """Return a path of a recipe: relative ones are looked for here, then below the project.

    So a recipe means the same from a shell in the project and from a notebook in `notebooks/`.
    `package:NAME/FOLDER` is a folder that an installed package ships.

    Raises:
        FileNotFoundError: no such package.
    """
    if place.startswith("package:"):
        name, _, inside = place.removeprefix("package:").partition("/")
        spec = importlib.util.find_spec(name)
        if spec is None:
            raise FileNotFoundError(f"{place}: package {name} is not installed; see environment.yml.")
        return Path(spec.submodule_search_locations[0]) / inside
    path = Path(place).expanduser()
    return path if path.is_absolute() or path.exists() else PROJECT / path


def shorten(path: Path) -> str:
    """Return a path relative to the project where it lies inside, for config.yaml."""
    path = path.resolve()
    return str(path.relative_to(PROJECT) if path.is_relative_to(PROJECT) else path)
