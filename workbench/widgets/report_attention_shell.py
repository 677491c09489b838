"""The shell of the attention from words to views: lays its controls out and passes on what a person does."""

import html
from typing import Any

from workbench import theme
from workbench.figures.attended import scale_html
from workbench.figures.report_text import highlight_sides
from workbench.widgets.study_steps import StudySteps, map_slider
from workbench.widgets.view_panes import CARD, show_layers, show_pictures, view_panes
from workbench.widgets.word_strip import show_words, word_strip


def report_attention_shell(model: Any) -> Any:
    """Return the widget of a `ReportAttention`: a study, its views, its words."""
    import ipywidgets

    menus = {
        field: ipywidgets.Dropdown(layout={"width": width})
        for field, width in (
            ("source", "190px"),
            ("mode", "190px"),
            ("layer", "100px"),
            ("head", "150px"),
            ("colour", "230px"),
        )
    }
    alike = ipywidgets.Checkbox(
        value=model.one_scale, description="one colour scale for all words", indent=False
    )
    alike.layout.width = "220px"
    word = ipywidgets.IntSlider(readout=False, description="word", layout={"width": "98%"})
    word.style.description_width = "40px"
    head, message, caption, below = (ipywidgets.HTML() for _ in range(4))
    drawing, drawn = False, None  # what the shell itself sets is not a wish of the person

    def draw() -> None:
        nonlocal drawing, drawn
        drawing = True
        for field, menu in menus.items():
            menu.options = model.menu(field)
            menu.value = getattr(model, field)
            menu.layout.display = "" if len(menu.options) > 1 else "none"
        steps.draw()
        word.max, word.value = len(model.reading.pieces) - 1, model.word
        shown = model.shown
        if drawn is not model.reading:
            show_pictures(panes, shown.pictures())
            drawn = model.reading
        show_layers(panes, shown.layers(model.word))
        show_words(strip, shown.words(), model.word)
        drawing = False
        head.value = _head(model.title, model.note)
        message.value = f'<div style="color:{theme.WARNING}">{html.escape(model.warning)}</div>'
        caption.value = _quiet(html.escape(model.caption) + "<br>" + scale_html(*model.scale))
        title, text = model.other_report()
        below.value = _report(title, text)

    def told(act: Any) -> Any:
        def answer(*what: Any) -> None:
            if not drawing:
                act(*what)
                draw()

        return answer

    def when(widget: Any, act: Any) -> None:
        widget.observe(lambda change: told(act)(change["new"]), "value")

    panes, strip = view_panes(told(model.touch)), word_strip(told(model.look_at))
    steps = StudySteps(model, told)
    panes.layout = {"flex": "1 1 460px", "min_width": "300px"}
    for field, act in model.acts().items():
        when(menus[field], act)
    when(alike, model.scale_alike)
    when(word, model.look_at)
    draw()
    rows = [
        ipywidgets.HBox(row, layout={"flex_flow": "row wrap"})
        for row in (
            [*steps.row, menus["source"]],
            [*list(menus.values())[1:], alike, map_slider(panes)],
        )
    ]
    words = ipywidgets.VBox(
        [strip, word, message, caption, below],
        layout={"flex": "1 1 380px", "min_width": "300px", "padding": "0 0 0 14px"},
    )
    both = ipywidgets.HBox([panes, words], layout={"flex_flow": "row wrap", "width": "100%"})
    shell = ipywidgets.VBox([head, *rows, both], layout={"max_width": f"{theme.WIDTH + 60}px"})
    return shell.add_class("wb-report-attention").add_class(CARD)


def _head(title: str, note: str) -> str:
    return f'<div style="{_LOOK};font-size:16px">{html.escape(title)}</div>{_quiet(html.escape(note))}'


def _quiet(content: str) -> str:
    return f'<div style="font-size:12px;line-height:1.6;color:{theme.QUIET}">{content}</div>'


def _report(title: str, text: str) -> str:
    return (
        f'<div style="{_LOOK};margin-top:8px"><b>{html.escape(title)}</b><br>'
        f"{highlight_sides(text) or '<i>no report</i>'}</div>"
    )


_LOOK = f"line-height:1.5;color:{theme.INK}"
