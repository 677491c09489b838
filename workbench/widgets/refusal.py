"""What stands where a view would be, and says why there is none."""

import html
from typing import Any

from workbench import theme


class Refusal:
    """A reason, in both forms of a view.

    Attributes:
        title: what there would have been to see.
        message: why there is nothing, and what to do.
    """

    def __init__(self, title: str, message: str):
        self.title, self.message = title, message

    def static(self) -> str:
        """Return the reason as HTML."""
        look = html.escape(
            f"font-family:{theme.FONT};font-size:13px;line-height:1.45;color:{theme.INK};"
            f"background:{theme.PAPER};max-width:{theme.WIDTH - 40}px;padding:12px 16px;"
            f"border-left:4px solid {theme.WARNING}"
        )
        return (
            f'<div class="wb-refusal" style="{look}"><div style="font-size:16px;margin-bottom:4px">'
            f"{html.escape(self.title)}: nothing to show</div>{html.escape(self.message)}</div>"
        )

    def live(self) -> Any:
        """Return the reason as a widget."""
        import ipywidgets

        return ipywidgets.HTML(self.static())
