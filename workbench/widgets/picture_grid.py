"""Pictures in rows with a button below each: a contact sheet that answers, made of plain widgets.

A live plotly figure would do it too, but each one sends the whole of plotly to the browser, and one that a
slow browser starts too late keeps its first pictures, whatever it is told.
"""

import io
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from PIL import Image

TILE = 119
"""Pixels."""
COLUMNS = 8


class PictureGrid:
    """A grid of pictures.

    Attributes:
        widget: to lay out.
    """

    def __init__(self, most: int, pick: Callable[[int], None]):
        """Make room for pictures.

        Args:
            most: pictures that are shown at once.
            pick: called with the number of the picture whose button is pressed, from 0.
        """
        import ipywidgets

        self._title = ipywidgets.HTML()
        self._images = [
            ipywidgets.Image(format="jpeg", layout={"width": f"{TILE}px", "height": f"{TILE}px"})
            for _ in range(most)
        ]
        self._buttons = [
            ipywidgets.Button(layout={"width": f"{TILE}px", "height": "22px", "margin": "0 0 6px"})
            for _ in range(most)
        ]
        for number, button in enumerate(self._buttons):
            button.add_class("wb-tile").on_click(lambda _, number=number: pick(number))
        self._tiles = [
            ipywidgets.VBox(pair, layout={"margin": "0 2px"})
            for pair in zip(self._images, self._buttons, strict=True)
        ]
        self._grid = ipywidgets.GridBox(
            layout={"grid_template_columns": f"repeat({COLUMNS}, {TILE + 4}px)", "overflow": "hidden"}
        )
        self.widget = ipywidgets.VBox([self._title, self._grid])

    def show(
        self, title: str, images: Sequence[np.ndarray], names: Sequence[str], tips: Sequence[str]
    ) -> None:
        """Show other pictures.

        Args:
            title: HTML above them.
            images: uint8, grey `[S, S]` or in colour `[S, S, 3]`; none leave the grid empty.
            names: what stands on the buttons.
            tips: what appears under the pointer.
        """
        self._title.value = title
        for tile, image, name, tip in zip(self._tiles, images, names, tips, strict=False):
            picture, button = tile.children
            picture.value, button.description, button.tooltip = _jpeg(image), name, tip
        self._grid.children = self._tiles[: len(images)]

    def frame(self, number: int | None) -> None:
        """Make one picture stand out, by its number; None for none."""
        for place, button in enumerate(self._buttons):
            button.button_style = "warning" if place == number else ""

    @property
    def buttons(self) -> list[Any]:
        """The buttons of the pictures that are shown."""
        return self._buttons[: len(self._grid.children)]


def _jpeg(image: np.ndarray) -> bytes:
    """Return a picture as a file, twice as large as it is shown: browsers on fine screens want that."""
    picture = Image.fromarray(np.ascontiguousarray(image))
    if picture.height > 2 * TILE:
        picture = picture.resize((2 * TILE, 2 * TILE), Image.Resampling.BOX)
    buffer = io.BytesIO()
    picture.save(buffer, format="JPEG", quality=88)
    return buffer.getvalue()
