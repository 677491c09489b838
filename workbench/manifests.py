"""Manifests beside their store: what each is called, made once, never overwritten by another."""

import dataclasses
import re
from collections.abc import Collection
from pathlib import Path

import numpy as np

from lib.atomic import write_text
from lib.data.card import count_sections, markdown_table
from lib.data.curation.flags import FLAGS
from lib.data.splits import SPLITS, Manifest, make_manifest
from lib.data.store import Store

SHARES = (70, 10, 20)
"""Per cent of the patients for training, validation and test (paper)."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


class OtherManifest(ValueError):
    """Another manifest lies where one was to be saved."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class SplitPlan:
    """What a person asks of a manifest.

    Attributes:
        seed: of the draws.
        shares: whole per cent of the patients for training, validation and test.
        official: keep the data set's own split, where it has one.
        leave_out: flags; a study with one is in no split.
        name: of the file; "" makes one of the values.
    """

    seed: int = 0
    shares: tuple[int, int, int] = SHARES
    official: bool = True
    leave_out: tuple[str, ...] = ()
    name: str = ""

    def make(self, store: Store) -> Manifest:
        """Return the manifest.

        Raises:
            ValueError: shares that do not make 100, a name that is no file name, or what `make_manifest`
                refuses.
        """
        total = sum(self.shares)
        if total != 100:
            sums = " + ".join(map(str, self.shares))
            raise ValueError(f"{sums} = {total}: the shares of {', '.join(SPLITS)} must make 100 %.")
        self.path(store)  # refuses a name that is none
        return make_manifest(
            store,
            seed=self.seed,
            fractions=tuple(share / 100 for share in self.shares),
            official=self.official,
            leave_out=self.leave_out,
        )

    def path(self, store: Store) -> Path:
        """Return where the manifest lies: beside the store, named after the store and what was asked for.

        Raises:
            ValueError: a name that is no file name.
        """
        if self.name and not _NAME.fullmatch(self.name):
            raise ValueError(f"The name {self.name!r} is no file name: take letters, digits, - and _.")
        parts = [str(self.seed)]
        parts += map(str, self.shares if self.shares != SHARES else ())
        parts += ["drawn"] * (not self.official and has_own_split(store))
        # In one order; an unknown flag stays in the name, so that no other manifest is taken for it.
        flags = [
            *(flag for flag in FLAGS if flag in self.leave_out),
            *sorted(set(self.leave_out) - set(FLAGS)),
        ]
        parts += ["without", *flags] if flags else []
        name = self.name or "-".join(parts)
        return store.path.with_name(f"{store.path.name}.split-{name}-{store.id[:8]}.json")

    def save(self, store: Store) -> Manifest:
        """Make the manifest and save it; the very same one that is there already stays.

        Raises:
            OtherManifest: a different one lies there.
            ValueError: as `make`.
        """
        manifest, path = self.make(store), self.path(store)
        if not path.is_file():
            write_text(path.with_suffix(".md"), split_card(store, manifest))
            manifest.save(path)
        elif Manifest.load(path).id != manifest.id:
            raise OtherManifest(
                f"{path.name} is there already and is another split than these values give now; it was kept. "
                "Give this one a name of its own."
            )
        return manifest

    def load_or_save(self, store: Store) -> Manifest:
        """Return the manifest that lies there, whatever made it; where there is none, make and save it."""
        path = self.path(store)
        return Manifest.load(path, store) if path.is_file() else self.save(store)


def split_card(store: Store, manifest: Manifest) -> str:
    """Return what is in each split of a manifest, in Markdown: counts by sex, age and view, prevalence."""
    shares = ", ".join(f"{100 * share:g} %" for share in manifest.fractions)
    drawn = [split for split in SPLITS if split not in manifest.official]
    facts = [
        ("kind", "SYNTHETIC: generated pictures, not patients" if store.synthetic else "real"),
        ("store", f"{store.name}, `{store.id}`"),
        ("manifest", f"`{manifest.id}`"),
        ("kept from the data set", ", ".join(manifest.official) or "nothing"),
        ("drawn by patient", f"{', '.join(drawn)} (seed {manifest.seed}; {shares})" if drawn else "nothing"),
        ("left out for flags", ", ".join(manifest.left_out) or "nothing"),
    ]
    splits = {split: manifest.rows(split) for split in SPLITS}
    counts = count_sections(store.studies, store.views, splits)
    return f"# {store.name} by split\n\n{markdown_table(('', ''), facts)}\n\n{counts}\n"


def has_own_split(store: Store) -> bool:
    """Return whether the data set came with a split."""
    return bool(np.any(store.studies["split"].to_numpy(str) != ""))


def manifest_path(store: Store, seed: int, leave_out: Collection[str] = ()) -> Path:
    """Return where the manifest of a store and a seed lies: beside it, named after both."""
    return SplitPlan(seed=seed, leave_out=tuple(leave_out)).path(store)


def freeze_manifest(store: Store, seed: int, leave_out: Collection[str] = ()) -> Manifest:
    """Return the manifest of a store and a seed; the first call makes and saves it, later ones read it."""
    return SplitPlan(seed=seed, leave_out=tuple(leave_out)).load_or_save(store)
