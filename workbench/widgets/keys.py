"""Keys pressed while a widget has the focus, told to Python: ipywidgets themselves hear none."""

from collections.abc import Callable
from typing import Any

SCRIPT = """
export default {
  render({ model, el }) {
    el.style.display = "none";
    // The whole widget that this one is part of; it exists once everything is laid out.
    const timer = setInterval(() => {
      const root = el.closest("." + model.get("around"));
      if (!root) return;
      clearInterval(timer);
      root.tabIndex = 0;
      root.style.outline = "none";
      // JupyterLab would take the arrows to go to another cell, and d d to delete this one.
      root.setAttribute("data-lm-suppress-shortcuts", "true");
      const typing = (target) => target.matches("input, select, textarea, .noUi-handle, [contenteditable]");
      root.addEventListener("pointerdown", (event) => {
        if (!typing(event.target)) root.focus({ preventScroll: true });
      });
      root.addEventListener("keydown", (event) => {
        if (typing(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
        if (!model.get("heard").includes(event.key)) return;
        event.preventDefault();
        model.send({ key: event.key });
      });
    }, 100);
    return () => clearInterval(timer);
  },
};
"""


def key_listener(around: str, keys: list[str], pressed: Callable[[str], None]) -> Any:
    """Return an invisible widget that hears keys for the widget around it.

    Args:
        around: CSS class of that widget, in which this one must lie.
        keys: names of the keys, as browsers call them ("ArrowLeft", "b").
        pressed: is told each key.
    """
    import anywidget
    import traitlets

    class KeyListener(anywidget.AnyWidget):
        _esm = SCRIPT
        around = traitlets.Unicode().tag(sync=True)
        heard = traitlets.List().tag(sync=True)

    listener = KeyListener(around=around, heard=keys)
    # Messages and not a trait: of quick changes of a trait a busy kernel hears only the last.
    listener.on_msg(lambda _, content, __: pressed(content["key"]))
    return listener
