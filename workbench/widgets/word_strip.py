"""The words of a report in the browser: coloured, one of them chosen by pointer or arrow keys."""

from collections.abc import Callable, Sequence
from typing import Any

from workbench import theme
from workbench.figures.attended import STRONGEST, TINT
from workbench.study_reading.drawn import Word

SCRIPT = """
export default {
  render({ model, el }) {
    const strip = document.createElement("div");
    strip.className = "wb-words";
    strip.tabIndex = 0;
    strip.setAttribute("role", "listbox");
    strip.setAttribute("aria-label", "words of the report");
    // JupyterLab would take the arrows to go to another cell.
    strip.setAttribute("data-lm-suppress-shortcuts", "true");
    el.append(strip);
    let spans = [];
    const choose = (place) => {
      const inside = Math.min(Math.max(place, 0), spans.length - 1);
      if (inside === model.get("chosen")) return;
      model.set("chosen", inside);
      model.save_changes();
    };
    const mark = () =>
      spans.forEach((span, place) => span.setAttribute("aria-selected", place === model.get("chosen")));
    const draw = () => {
      spans = model.get("words").map((word) => {
        const span = document.createElement("span");
        span.textContent = word.text;
        span.title = word.hint;
        span.className = word.quiet ? "wb-quiet" : "";
        span.setAttribute("role", "option");
        span.style.backgroundColor = word.colour;
        return span;
      });
      const glued = model.get("words").map((word) => word.glued);
      strip.replaceChildren(...spans.flatMap((span, place) => (glued[place] ? [span] : [" ", span])));
      mark();
    };
    const under = (event) => spans.indexOf(document.elementFromPoint(event.clientX, event.clientY));
    const follow = (event) => event.buttons && under(event) >= 0 && choose(under(event));
    strip.addEventListener("pointerdown", follow);
    strip.addEventListener("pointermove", follow);
    strip.addEventListener("keydown", (event) => {
      const here = model.get("chosen");
      const places = { ArrowRight: here + 1, ArrowLeft: here - 1, Home: 0, End: spans.length - 1 };
      if (!(event.key in places) || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      event.stopPropagation();
      choose(places[event.key]);
    });
    model.on("change:words", draw);
    model.on("change:chosen", mark);
    draw();
  },
};
"""

STYLE = f"""
.wb-words {{ font: 15px/2 {theme.FONT}; color: {theme.INK}; padding: 2px 4px; user-select: none; }}
.wb-words:focus-visible {{ outline: 1px dotted {theme.QUIET}; }}
.wb-words span {{ border-radius: 3px; padding: 2px 0; cursor: pointer; }}
.wb-words span:hover {{ box-shadow: 0 0 0 1px {theme.QUIET}; }}
.wb-words span[aria-selected="true"] {{ box-shadow: 0 0 0 2px {theme.INK}; }}
.wb-words .wb-quiet {{ color: {theme.QUIET}; }}
"""


def word_strip(chosen: Callable[[int], None]) -> Any:
    """Return a widget for `show_words`.

    Args:
        chosen: is told the place of the word that a person chose.
    """
    import anywidget
    import traitlets

    class WordStrip(anywidget.AnyWidget):
        _esm = SCRIPT
        _css = STYLE
        words = traitlets.List().tag(sync=True)
        chosen = traitlets.Int(0).tag(sync=True)

    strip = WordStrip()
    strip.observe(lambda change: chosen(change["new"]), "chosen")
    return strip


def show_words(strip: Any, words: Sequence[Word], chosen: int) -> None:
    """Show the words of a report, one of them chosen."""
    strip.words = [
        {
            "text": word.text,
            "glued": word.glued,
            "hint": word.hint,
            "quiet": word.quiet,
            "colour": f"rgba({TINT},{STRONGEST * word.tint:.2f})",
        }
        for word in words
    ]
    strip.chosen = chosen
