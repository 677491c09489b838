"""The maps of one fine-tuning, by method; the model itself is opened only when a new map is asked for."""

import functools
from collections.abc import Sequence

import numpy as np
import torch

from lib.data.augment import evaluation_view, normalize
from lib.data.store import Store
from lib.explain import OF_ATTENTION
from lib.explain.boxes import scale_maps
from lib.explain.explain import methods_of, takes
from lib.models import ENCODERS
from lib.protocols.case_maps import CaseMaps
from lib.registry import resolve
from workbench.inputs import resolve_place
from workbench.locating import locate_maps, open_classifier
from workbench.reopen import open_data
from workbench.runs import Run
from workbench.tables import method_name


class MapSource:
    """One model and its maps of the marked pictures of a split.

    Attributes:
        run: the fine-tuning.
        name: of the model, for captions.
        split: whose pictures.
        store: of these.
        targets: findings that the model knows.
        methods: that fit its encoder.
        depth: blocks whose attention can be looked at; 0 for an encoder without any.
        num_heads: of a block.
    """

    def __init__(self, run: Run, *, store: str = "", split: str = "test"):
        """Open the data of a run, not its model.

        Args:
            run: a finished fine-tuning.
            store: of other pictures; "" is its own.
            split: of its manifest.

        Raises:
            ValueError: the run is no fine-tuning, or other data lies there now.
            FileNotFoundError: its data is not where it was.
        """
        if run.config.get("task") != "finetune":
            raise ValueError(f"Run {run.id} is no fine-tuning; its task is {run.config.get('task')!r}.")
        self.run, self.split, self._store = run, split, store
        self.store = Store(resolve_place(store)) if store else open_data(run)[0]
        self.targets = list(run.result()["targets"])
        ratio = run.config["finetune"]["label_ratio"]
        self.name = f"{method_name(run.config['method'])}, {100 * ratio:g} % of the labels"
        encoder = run.config["encoder"]
        self.methods = methods_of(resolve(encoder["name"], ENCODERS))
        has_attention = set(OF_ATTENTION) <= set(self.methods)
        self.depth = encoder["depth"] if has_attention else 0
        self.num_heads = encoder["num_heads"] if has_attention else 0
        self._maps: dict[tuple, CaseMaps] = {}

    def maps(self, method: str, layer: int = -1, head: int | None = None) -> CaseMaps:
        """Return the maps of all cases: from memory, from the run's folder, or computed now.

        Layer and head are left out where a method looks at none.

        Raises:
            ValueError: the method does not fit the encoder, or it has no such layer or head.
        """
        layer = layer if "layer" in takes(method) else -1
        head = head if "head" in takes(method) else None
        if (method, layer, head) not in self._maps:
            self._maps[method, layer, head] = locate_maps(
                self.run, store=self._store, split=self.split, method=method, layer=layer, head=head
            )
        return self._maps[method, layer, head]

    def attended(self, view_row: int, place: int, layer: int = -1, head: int | None = None) -> np.ndarray:
        """Return what a place of a picture attends to, 0..1 `[rows, columns]`.

        Args:
            view_row: of the picture in the store.
            place: on the encoder's grid, row by row.
            layer: block; -1: the last.
            head: one of them; None: the mean.

        Raises:
            ValueError: the encoder has no attention.
        """
        if not self.depth:
            raise ValueError(f"{self.name}: a convolutional network has no attention to look at.")
        from lib.explain.attention import attention_of_place

        weights = attention_of_place(self._classifier.encoder, self._picture(view_row), place, layer, head)
        return scale_maps(weights.numpy())[0]

    @functools.cached_property
    def _classifier(self) -> torch.nn.Module:
        return open_classifier(self.run).classifier

    def _picture(self, view_row: int) -> torch.Tensor:
        """Return a stored picture as the model sees it, [1, 1, H, W]."""
        augment = self.run.config["augment"]
        pixels = torch.from_numpy(np.array(self.store.images[view_row]))[None, None]
        return normalize(evaluation_view(pixels, augment["crop_size"], augment.get("evaluation", "crop")))


def open_sources(runs: Sequence[Run], *, store: str = "", split: str = "test") -> list[MapSource]:
    """Open one or two models; of more the first two, for more are not seen side by side.

    Two of one name are told apart by their seeds, or else by their runs.
    """
    sources = [MapSource(run, store=store, split=split) for run in list(runs)[:2]]
    for ending in (lambda one: f"seed {one.run.config['seed']}", lambda one: one.run.id):
        if len({one.name for one in sources}) < len(sources):
            for one in sources:
                one.name = f"{one.name}, {ending(one)}"
    return sources
