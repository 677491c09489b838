"""Menus above views: what is chosen, and what is drawn of it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from workbench.widgets.display import views_output

Menus = Mapping[str, Sequence[tuple[str, Any]]]


class Chooser:
    """Views that depend on a few choices.

    Attributes:
        menus: name -> (what a person reads, value) of each choice.
        chosen: name -> value.
    """

    def __init__(
        self,
        menus: Menus,
        draw: Callable[..., list[Any]],
        *,
        chosen: Mapping[str, Any] | None = None,
        listen: Callable[[Callable[[], None]], None] | None = None,
    ):
        """Begin with the first value of every menu.

        Args:
            menus: at least one value each.
            draw: called with the chosen values by name, returns figures and HTML.
            chosen: other values to begin with.
            listen: is given the function that draws anew, to call it when the data have changed.

        Raises:
            ValueError: a value to begin with that no menu has.
        """
        self.menus = {name: list(offer) for name, offer in menus.items()}
        self.chosen = {name: offer[0][1] for name, offer in self.menus.items()}
        self._draw, self._listen = draw, listen
        for name, value in (chosen or {}).items():
            self.choose(name, value)

    def choose(self, name: str, value: Any) -> None:
        """Take another value of a menu.

        Raises:
            ValueError: the menu has no such value.
        """
        known = [offered for _, offered in self.menus[name]]
        if value not in known:
            raise ValueError(f"There is no {name} {value!r}; there are {', '.join(map(str, known))}.")
        self.chosen[name] = value

    def views(self) -> list[Any]:
        """Return the figures and HTML of what is chosen."""
        return self._draw(**self.chosen)

    def static(self) -> list[Any]:
        """Return the views."""
        return self.views()

    def live(self) -> Any:
        """Return the widget: a row of menus with more than one value, and the views."""
        import ipywidgets

        menus = {
            name: ipywidgets.Dropdown(
                options=offer,
                value=self.chosen[name],
                description=name,
                style={"description_width": "initial"},
                layout={"width": "auto", "min_width": "180px"},
            )
            for name, offer in self.menus.items()
            if len(offer) > 1
        }
        views = ipywidgets.Output(layout={"min_height": "120px"})

        def draw() -> None:
            views.outputs = views_output(self.views())

        for name, menu in menus.items():

            def take(change: Any, name: str = name) -> None:
                self.choose(name, change["new"])
                draw()

            menu.observe(take, "value")
        draw()
        if self._listen:
            self._listen(draw)
        row = ipywidgets.HBox(list(menus.values()), layout={"flex_flow": "row wrap"})
        return ipywidgets.VBox([row, views]).add_class("wb-chooser")
