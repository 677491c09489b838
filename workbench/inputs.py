"""What a recipe starts from: store, manifest and initial weights, each with its id; and the device."""

import dataclasses
import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from lib.atomic import write_json
from lib.data.splits import Manifest, make_manifest
from lib.data.store import Store
from lib.models.pretrained import LoadedWeights, file_sha256
from lib.protocols.finetune import RANDOM, checkpoint_of
from workbench.manifests import manifest_path
from workbench.recipe import PROJECT, Recipe
from workbench.run_config import WEIGHTS_ID
from workbench.runs import Run, open_run

WEIGHTS_CARD = "initial_weights.json"
"""What a run folder keeps of the file that its encoder began with (`lib.models.pretrained.LoadedWeights`)."""


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
    is_run = (place / "config.yaml").is_file()
    method = Run(place).config.get("objective", {}).get("name") if is_run else None
    return {"init": shorten(place), "init_id": file_sha256(path), "method": method or place.stem}


def describe_weights(encoder: Mapping[str, Any]) -> dict[str, str]:
    """Say which file the weights of an encoder section come from, if any: weights_id, the hash of the file.

    Raises:
        FileNotFoundError: no such file.
    """
    place = encoder.get("weights", "")
    if not place:
        return {}
    if not Path(place).is_file():
        raise FileNotFoundError(f"encoder.weights={place}: there is no such file; correct the path.")
    return {WEIGHTS_ID: file_sha256(Path(place))}


def keep_card(loaded: LoadedWeights | None, config: Mapping[str, Any], run_dir: Path) -> None:
    """Keep in the folder of a run what its encoder took from a file of weights, if it took any.

    Raises:
        ValueError: another file lies there now.
    """
    if loaded is None:
        return
    if loaded.sha256 != config.get(WEIGHTS_ID, loaded.sha256):  # runs from before it have none
        raise ValueError(f"{loaded.file} is not the file of weights of this run any more: it was changed.")
    write_json(run_dir / WEIGHTS_CARD, dataclasses.asdict(loaded))


def encoder_of(init: str) -> dict[str, Any]:
    """Return the encoder section of the pre-training run that lies at `init`.

    Raises:
        ValueError: something else than a pre-training run lies there.
    """
    folder = resolve_place(init)
    objective = Run(folder).config.get("objective") if (folder / "config.yaml").is_file() else None
    if objective is None:
        raise ValueError(f"encoder=pretrained: init={init} is no pre-training run; give a section `encoder`.")
    # What it began with is in the weights that it ended with.
    return {key: value for key, value in objective["encoder"].items() if key != "weights"}


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
