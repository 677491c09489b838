"""Leaf through the studies of a store: choose a finding and a split, step from study to study."""

from typing import Any

import numpy as np

from lib.data.splits import Manifest
from lib.data.store import Store
from workbench.figures import stores
from workbench.widgets.display import figure_bundle

EVERY_LABEL = "every study"
EVERY_SPLIT = "every split"


class StudyBrowser:
    """Which study is looked at.

    Attributes:
        rows: the studies of the choice, rows of the store.
        place: of the study looked at, in `rows`.
    """

    def __init__(self, store: Store, manifest: Manifest | None = None):
        """Look at a store.

        Args:
            store: the studies.
            manifest: its splits; without one they cannot be chosen.
        """
        self.store = store
        self.splits = {} if manifest is None else stores.rows_of_splits(manifest)
        self.labels = [
            name for name in store.label_names if (store.labels == 1).any(axis=0)[self._column(name)]
        ]
        self.choose()
        self.go_to(stores.telling_study(store))

    def choose(self, label: str = EVERY_LABEL, split: str = EVERY_SPLIT) -> None:
        """Keep the studies of a split that are positive for a label, and go to the first one.

        Raises:
            ValueError: a label or split that the store does not have.
        """
        if label != EVERY_LABEL and label not in self.store.label_names:
            raise ValueError(
                f"{self.store.name} has no label {label!r}; it has {', '.join(self.store.label_names)}."
            )
        if split != EVERY_SPLIT and split not in self.splits:
            raise ValueError(f"There is no split {split!r}; there are {', '.join(self.splits) or 'none'}.")
        rows = np.arange(len(self.store)) if split == EVERY_SPLIT else self.splits[split]
        if label != EVERY_LABEL:
            rows = rows[self.store.labels[rows, self._column(label)] == 1]
        self.rows, self.place = rows, 0

    def go_to(self, place: int) -> None:
        """Look at another study of the choice; places beyond its ends mean its ends."""
        self.place = int(np.clip(place, 0, max(0, len(self.rows) - 1)))

    @property
    def caption(self) -> str:
        """Where the study stands in the choice."""
        return f"{self.place + 1:,} of {len(self.rows):,}" if len(self.rows) else "no such study"

    def static(self) -> Any:
        """Return the figure of the study, None where the choice is empty."""
        return stores.study(self.store, int(self.rows[self.place])) if len(self.rows) else None

    def live(self) -> Any:
        """Return the widget: two menus, a slider with a button at each end, the figure."""
        return _shell(self)

    def _column(self, label: str) -> int:
        return list(self.store.label_names).index(label)


def _shell(model: StudyBrowser) -> Any:
    import ipywidgets

    label = ipywidgets.Dropdown(options=[EVERY_LABEL, *model.labels], layout={"width": "220px"})
    split = ipywidgets.Dropdown(options=[EVERY_SPLIT, *model.splits], layout={"width": "150px"})
    place = ipywidgets.IntSlider(
        value=model.place, max=max(0, len(model.rows) - 1), readout=False, layout={"width": "300px"}
    )
    back, onward = (
        ipywidgets.Button(icon=icon, tooltip=tooltip, layout={"width": "36px"})
        for icon, tooltip in (("chevron-left", "the study before"), ("chevron-right", "the next study"))
    )
    caption = ipywidgets.Label()
    picture = ipywidgets.Output(layout={"min_height": "420px"})

    def draw(*_: Any) -> None:
        model.go_to(place.value)
        caption.value = model.caption
        figure = model.static()
        data = (
            {"output_type": "display_data", "metadata": {}, "data": figure_bundle(figure)} if figure else None
        )
        picture.outputs = (data,) if data else ()

    def choose(*_: Any) -> None:
        model.choose(label.value, split.value)
        place.value, place.max = 0, max(0, len(model.rows) - 1)
        draw()

    def step(button: Any) -> None:
        place.value += 1 if button is onward else -1  # the slider keeps it between its ends

    back.on_click(step)
    onward.on_click(step)
    label.observe(choose, "value")
    split.observe(choose, "value")
    place.observe(draw, "value")
    draw()
    controls = [label, *([split] if model.splits else []), back, place, onward, caption]
    return ipywidgets.VBox([ipywidgets.HBox(controls), picture]).add_class("wb-study-browser")
