"""Pictures that something is odd about, one sheet a flag: a person says what is true."""

from typing import Any

from lib.data.store import Store
from workbench.figures import curation, stores
from workbench.widgets.display import figure_output


class FlagSheets:
    """Which flag is looked at.

    Attributes:
        counts: flag -> number of studies with it; only flags that there are.
    """

    def __init__(self, store: Store):
        self.store = store
        self.counts = stores.flag_counts(store)

    def static(self) -> list[Any]:
        """Return a sheet of every flag that there is."""
        sheets = [stores.flag_examples(self.store, flag) for flag in self.counts]
        return sheets or [curation.nothing("No picture has a flag", note=stores.note_of(self.store))]

    def live(self) -> Any:
        """Return the widget: a button for each flag, and its sheet."""
        import ipywidgets

        if not self.counts:
            (figure,) = self.static()
            return figure
        options = [(f"{flag.replace('_', ' ')} ({count:,})", flag) for flag, count in self.counts.items()]
        menu = ipywidgets.ToggleButtons(options=options, style={"button_width": "auto"})
        sheet = ipywidgets.Output(layout={"min_height": "260px"})

        def look(*_: Any) -> None:
            sheet.outputs = figure_output(stores.flag_examples(self.store, menu.value))

        menu.observe(look, "value")
        look()
        return ipywidgets.VBox([menu, sheet]).add_class("wb-flag-sheets")
