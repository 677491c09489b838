"""Widgets: a view model that is plain Python, a shell that lays it out, a static twin for headless runs."""

from workbench.widgets.display import show

__all__ = ["show"]
