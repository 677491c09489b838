"""What ingest left out and why: every rule with a few cases, or one rule with many."""

from typing import Any

from lib.data.store import Store
from workbench.figures import stores

EVERY_RULE = "every rule"
CASES = 200
"""Of one rule; all are in drops.parquet."""


class DropReasons:
    """Which rule is looked at.

    Attributes:
        rules: those that took something out, the most frequent first.
        rule: one of them, or "".
    """

    def __init__(self, store: Store):
        self.store = store
        self.rules = list(store.drops["rule"].value_counts().index)
        self.rule = ""

    def table(self) -> str:
        """Return the HTML table: three cases of every rule, or many of the one looked at."""
        return stores.drops(self.store, self.rule, examples=CASES if self.rule else 3)

    def static(self) -> str:
        """Return the HTML table."""
        return self.table()

    def live(self) -> Any:
        """Return the widget: a menu of the rules and the table."""
        import ipywidgets

        rules = [(name.replace("_", " "), name) for name in self.rules]
        menu = ipywidgets.Dropdown(options=[(EVERY_RULE, ""), *rules], layout={"width": "220px"})
        table = ipywidgets.HTML(self.table(), layout={"max_height": "640px", "overflow": "auto"})

        def look(change: Any) -> None:
            self.rule = change["new"]
            table.value = self.table()

        menu.observe(look, "value")
        return ipywidgets.VBox([*[menu] * (len(rules) > 0), table]).add_class("wb-drop-reasons")
