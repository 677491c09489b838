"""The shell of the regions of a phrase: lays its controls out and passes on what a person does."""

import html
from typing import Any

from workbench import theme
from workbench.figures.attended import OPACITY, scale_html
from workbench.widgets.view_panes import CARD, show_layers, show_pictures, view_panes


def phrase_regions_shell(model: Any) -> Any:
    """Return the widget of a `PhraseRegions`: a phrase, a study, its views."""
    import ipywidgets

    phrase = _text("type a phrase, then Enter", "430px")
    sentence = ipywidgets.Dropdown(layout={"width": "260px"})
    example = ipywidgets.Dropdown(
        options=[("or an example ...", ""), *model.examples()], layout={"width": "190px"}
    )
    place = ipywidgets.IntSlider(
        max=len(model.reader.studies) - 1, readout=False, continuous_update=False, layout={"width": "250px"}
    )
    back, onward = (
        ipywidgets.Button(icon=icon, tooltip=tooltip, layout={"width": "36px"})
        for icon, tooltip in (("chevron-left", "the study before"), ("chevron-right", "the next study"))
    )
    name = _text("study or patient, then Enter", "210px")
    mode = ipywidgets.Dropdown(options=model.modes(), layout={"width": "310px"})
    opacity = ipywidgets.FloatSlider(
        value=OPACITY, min=0, max=1, step=0.05, description="map", readout=False, layout={"width": "190px"}
    )
    opacity.style.description_width = "34px"
    head, message, scale = (ipywidgets.HTML() for _ in range(3))
    drawing, drawn = False, None  # what the shell itself sets is not a wish of the person

    def draw() -> None:
        nonlocal drawing, drawn
        drawing = True
        phrase.value, name.value, example.value = model.phrase, "", ""
        place.value, mode.value = model.place, model.mode
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

    panes = view_panes(told(model.touch))
    ipywidgets.jslink((opacity, "value"), (panes, "opacity"))
    when(phrase, model.ask)
    when(sentence, model.ask)
    when(example, model.ask)
    when(place, model.go_to)
    when(name, model.find)
    when(mode, model.show_as)
    back.on_click(lambda _: told(model.go_to)(model.place - 1))
    onward.on_click(lambda _: told(model.go_to)(model.place + 1))
    draw()
    rows = [
        ipywidgets.HBox(row, layout={"flex_flow": "row wrap"})
        for row in ([phrase, sentence, example], [back, place, onward, name, mode, opacity])
    ]
    parts = [head, *rows, message, panes, scale]
    shell = ipywidgets.VBox(parts, layout={"max_width": f"{theme.WIDTH + 60}px"})
    return shell.add_class("wb-phrase-regions").add_class(CARD)


def _text(placeholder: str, width: str) -> Any:
    """Return a line to type into; it answers when Enter is pressed or the line is left."""
    import ipywidgets

    return ipywidgets.Text(placeholder=placeholder, continuous_update=False, layout={"width": width})
