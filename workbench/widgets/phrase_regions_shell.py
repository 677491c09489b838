"""The shell of the regions of a phrase: lays its controls out and passes on what a person does."""

import html
from typing import Any

from workbench import theme
from workbench.figures.attended import scale_html
from workbench.widgets.study_steps import StudySteps, map_slider
from workbench.widgets.view_panes import CARD, show_layers, show_pictures, view_panes


def phrase_regions_shell(model: Any) -> Any:
    """Return the widget of a `PhraseRegions`: a phrase, a study, its views."""
    import ipywidgets

    phrase = ipywidgets.Text(
        placeholder="type a phrase, then Enter", continuous_update=False, layout={"width": "430px"}
    )
    sentence = ipywidgets.Dropdown(layout={"width": "260px"})
    example = ipywidgets.Dropdown(
        options=[("or an example ...", ""), *model.examples()], layout={"width": "190px"}
    )
    mode = ipywidgets.Dropdown(options=model.modes(), layout={"width": "310px"})
    head, message, scale = (ipywidgets.HTML() for _ in range(3))
    drawing, drawn = False, None  # what the shell itself sets is not a wish of the person

    def draw() -> None:
        nonlocal drawing, drawn
        drawing = True
        phrase.value, example.value, mode.value = model.phrase, "", model.mode
        steps.draw()
        if drawn is not model.study:
            choices = [(text, text) for text in model.sentences()]
            sentence.options = [("or a sentence of the report ...", ""), *choices]
            show_pictures(panes, model.pictures())
            drawn = model.study
        sentence.value = ""
        show_layers(panes, model.layers())
        drawing = False
        quiet = f"font-size:12px;line-height:1.5;color:{theme.QUIET}"
        head.value = (
            f'<div style="font-size:16px;line-height:1.4;color:{theme.INK}">{html.escape(model.title)}</div>'
            f'<div style="{quiet}">{html.escape(model.note)}</div>'
        )
        message.value = f'<div style="color:{theme.WARNING}">{html.escape(model.warning)}</div>'
        scale.value = scale_html(*model.scale)

    def told(act: Any) -> Any:
        def answer(*what: Any) -> None:
            if not drawing:
                act(*what)
                draw()

        return answer

    def when(widget: Any, act: Any) -> None:
        widget.observe(lambda change: told(act)(change["new"]), "value")

    panes, steps = view_panes(told(model.touch)), StudySteps(model, told)
    when(phrase, model.ask)
    when(sentence, model.ask)
    when(example, model.ask)
    when(mode, model.show_as)
    draw()
    rows = [
        ipywidgets.HBox(row, layout={"flex_flow": "row wrap"})
        for row in ([phrase, sentence, example], [*steps.row, mode, map_slider(panes)])
    ]
    parts = [head, *rows, message, panes, scale]
    shell = ipywidgets.VBox(parts, layout={"max_width": f"{theme.WIDTH + 60}px"})
    return shell.add_class("wb-phrase-regions").add_class(CARD)
