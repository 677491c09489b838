"""The manifest that goes with a store when nobody names another one: beside it, made once."""

from pathlib import Path

from lib.data.splits import Manifest, make_manifest
from lib.data.store import Store


def manifest_path(store: Store, seed: int) -> Path:
    """Return where the manifest of a store and a seed lies: beside it, named after both."""
    return store.path.with_name(f"{store.path.name}.split-{seed}-{store.id[:8]}.json")


def freeze_manifest(store: Store, seed: int) -> Manifest:
    """Return the manifest of a store and a seed; the first call makes and saves it, later ones read it."""
    path = manifest_path(store, seed)
    if not path.is_file():
        make_manifest(store, seed=seed).save(path)
    return Manifest.load(path, store)
