"""The shell of the study browser: lays its controls out and passes on what a person does."""

import math
from typing import Any

from workbench.study_filter import PRESENCE
from workbench.widgets.display import figure_output


def browser_shell(model: Any) -> Any:
    """Return the widget of a `StudyBrowser`: menus, a slider with a button at each end, study and sheet."""
    import ipywidgets

    menus = {
        name: ipywidgets.Dropdown(options=offer, layout={"width": "190px" if name == "label" else "150px"})
        for name, offer in model.offers().items()
    }
    presence = ipywidgets.Dropdown(options=list(PRESENCE), disabled=True, layout={"width": "105px"})
    ages = _age_slider(model.ages)
    words = _text("words of the report", "190px")
    name = _text("go to study or patient", "190px")
    place = ipywidgets.IntSlider(readout=False, layout={"width": "290px"})
    back, onward, clear = (
        ipywidgets.Button(icon=icon, tooltip=tooltip, layout={"width": "36px"})
        for icon, tooltip in (
            ("chevron-left", "the study before"),
            ("chevron-right", "the next study"),
            ("times", "take every condition back"),
        )
    )
    sheet = ipywidgets.ToggleButton(description="sheet", icon="th", layout={"width": "84px"})
    caption = ipywidgets.Label().add_class("wb-caption")
    picture = ipywidgets.Output(layout={"min_height": "420px"}).add_class("wb-study")
    many = ipywidgets.Output().add_class("wb-sheet")
    drawing = False  # what the shell itself sets is not a wish of the person

    def draw() -> None:
        nonlocal drawing
        drawing = True
        place.max, place.value = max(0, len(model.rows) - 1), model.place
        for field, menu in menus.items():
            menu.value = getattr(model.filter, field)
        presence.value, presence.disabled = model.filter.presence, not model.filter.label
        words.value, name.value = model.filter.words, ""
        if model.filter.youngest == 0 and model.filter.oldest == math.inf:
            ages.value = (ages.min, ages.max)
        drawing = False
        caption.value = model.caption
        picture.outputs = figure_output(model.study())
        many.outputs = figure_output(model.sheet()) if sheet.value and len(model.rows) else ()

    def when(widget: Any, act: Any) -> None:
        def answer(change: Any) -> None:
            if not drawing:
                act(change["new"])
                draw()

        widget.observe(answer, "value")

    for field, menu in menus.items():
        when(menu, lambda value, field=field: model.choose(**{field: value}))
    when(presence, lambda value: model.choose(presence=value))
    when(ages, lambda value: model.choose_ages(*value))
    when(words, lambda value: model.choose(words=value))
    when(name, model.find)
    when(place, model.go_to)
    when(sheet, lambda _: None)
    # The slider keeps the place between its ends.
    back.on_click(lambda _: place.set_trait("value", max(place.min, place.value - 1)))
    onward.on_click(lambda _: place.set_trait("value", min(place.max, place.value + 1)))
    clear.on_click(lambda _: (model.clear(), draw()))
    draw()
    asked = [control for field in menus for control in ([menus[field]] + [presence] * (field == "label"))]
    asked += [ages] * (model.ages is not None) + [words] * model.store.has_reports + [clear]
    rows = [
        ipywidgets.HBox(row, layout={"flex_flow": "row wrap"})
        for row in (asked, [back, place, onward, name, sheet])
    ]
    return ipywidgets.VBox([*rows, caption, picture, many]).add_class("wb-study-browser")


def _text(placeholder: str, width: str) -> Any:
    """Return a line to type into; it answers when Enter is pressed or the line is left."""
    import ipywidgets

    return ipywidgets.Text(placeholder=placeholder, continuous_update=False, layout={"width": width})


def _age_slider(ages: tuple[int, int] | None) -> Any:
    import ipywidgets

    first, last = ages or (0, 1)
    return ipywidgets.IntRangeSlider(
        value=(first, last),
        min=first,
        max=last,
        description="age",
        continuous_update=False,
        style={"description_width": "30px"},
        layout={"width": "240px"},
    )
