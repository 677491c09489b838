"""The controls that choose which map of which model lies on pictures."""

from collections.abc import Callable
from typing import Any

from workbench.widgets.map_overlay import NOWHERE, MapOverlay

WIDTHS = {"where": "200px", "number": "220px", "method": "170px", "finding": "190px"}


class MapControls:
    """A row of menus.

    Attributes:
        widget: to lay out.
        menus: by the attribute of the overlay that they are of.
    """

    def __init__(self, overlay: MapOverlay, do: Callable[..., None]):
        """Make the row.

        Args:
            overlay: what it changes.
            do: called with a function of the overlay and its value, once a person has chosen something.
        """
        import ipywidgets

        self._overlay, self._drawing = overlay, False
        self.menus = {
            name: ipywidgets.Dropdown(layout={"width": width}, tooltip=tooltip)
            for (name, width), tooltip in zip(
                WIDTHS.items(), ("where maps lie", "whose maps", "kind of map", "finding"), strict=True
            )
        }
        self._legend = ipywidgets.HTML()
        layout = {"flex_flow": "row wrap", "align_items": "center"}
        menus = ipywidgets.HBox(list(self.menus.values()), layout=layout)
        self.widget = ipywidgets.VBox([menus, self._legend]).add_class("wb-map-controls")
        acts = {
            "where": overlay.lie_on,
            "number": overlay.take,
            "method": overlay.explain_by,
            "finding": overlay.look_for,
        }
        for name, act in acts.items():

            def answer(change: Any, act: Any = act) -> None:
                if not self._drawing:
                    do(act, change["new"])

            self.menus[name].observe(answer, "value")
        self.draw()

    def draw(self) -> None:
        """Show the choice as it is, and only the menus that have one."""
        overlay, self._drawing = self._overlay, True
        for name, offer in overlay.menus().items():
            menu = self.menus[name]
            if list(menu.options) != offer:
                menu.options = offer
            menu.value = getattr(overlay, name) if offer else None
            wanted = name == "where" or overlay.where != NOWHERE and len(offer) > 1
            menu.layout.display = "" if wanted else "none"
            menu.disabled = name == "finding" and not overlay.looks
        self._legend.value = overlay.legend()
        self._drawing = False
