"""The shell of the box explorer: lays its controls out and passes on what a person does."""

import html
import math
import time
from typing import Any

from workbench import theme
from workbench.box_reading.offers import looks_at_layers, menus
from workbench.figures.box_gallery import move_frame, move_gallery
from workbench.figures.box_live import LivePanels
from workbench.figures.live import afterwards, live_figure
from workbench.widgets.keys import key_listener

PER_PAGE = 16
"""Cases of a gallery."""
ECHO = 1.0
"""Seconds after a key in which the slider that it moves is not listened to."""
ALL = -1
"""All heads, in a menu: its None means that nothing is chosen."""
KEYS = ["ArrowRight", "ArrowLeft", "ArrowUp", "ArrowDown", "PageDown", "PageUp", "b", "m", "s", "Escape"]
HELP = (
    "Keys, after a click on the picture: left and right go to the next case, up and down move the threshold, "
    "m hides the map, b the boxes, s sorts again, Escape takes a clicked place back. "
    "Click a place to see what it attends to; drag and scroll to move and zoom."
)


def box_explorer_shell(model: Any) -> Any:
    """Return the widget of a `BoxExplorer`: menus, sliders, the case, the gallery."""
    import ipywidgets

    menu = {name: _menu(name, offer) for name, offer in menus(model.table).items()}
    menu["layer"].value = model.table.layer
    menu["head"].value = ALL if model.table.head is None else model.table.head
    iou = ipywidgets.FloatRangeSlider(
        value=(0, 1),
        min=0,
        max=1,
        step=0.05,
        description="IoU",
        continuous_update=False,
        readout_format=".2f",
        style={"description_width": "26px"},
        layout={"width": "250px"},
    )
    threshold = _slider("threshold", model.reading.threshold, 0.05, 0.95, 0.01, "300px")
    largest = max(1.0, model.table.cases.store.image_size / 16)
    smoothing = _slider("smoothing, px", model.reading.smoothing, 0.0, largest, largest / 32, "290px")
    opacity = _slider("map", model.opacity, 0.0, 1.0, 0.05, "210px")
    boxes = ipywidgets.ToggleButton(
        value=model.boxes, description="boxes", icon="square-o", layout={"width": "84px"}
    )
    place = ipywidgets.IntSlider(readout=False, layout={"width": "250px"})
    back, onward, again, save = (
        ipywidgets.Button(description=words, icon=icon, tooltip=tooltip, layout={"width": width})
        for words, icon, tooltip, width in (
            ("", "chevron-left", "the case before", "36px"),
            ("", "chevron-right", "the next case", "36px"),
            ("sort again", "sort-amount-desc", "with all maps read as this one is", "104px"),
            ("save", "download", "the figure, and the list of the chosen cases", "76px"),
        )
    )
    name = ipywidgets.Text(
        placeholder="view, study or patient", continuous_update=False, layout={"width": "180px"}
    )
    caption = ipywidgets.Label().add_class("wb-caption")
    message = ipywidgets.HTML().add_class("wb-message")
    case = ipywidgets.VBox(layout={"min_height": "640px", "overflow": "hidden"}).add_class("wb-case")
    sheet = ipywidgets.VBox(layout={"overflow": "hidden"}).add_class("wb-gallery")
    hint = ipywidgets.HTML(f'<span style="color:{theme.QUIET};font-size:12px">{HELP}</span>')
    drawing = False  # what the shell itself sets is not a wish of the person
    panels: LivePanels | None = None
    paged: Any = None  # what the gallery shows
    pressed = -math.inf  # when a key was

    def draw() -> None:
        nonlocal drawing
        drawing = True
        place.max, place.value = max(0, len(model.rows) - 1), model.place
        threshold.value, smoothing.value = model.reading.threshold, model.reading.smoothing
        opacity.value, boxes.value, name.value = model.opacity, model.boxes, ""
        iou.value = (model.wanted.low, model.wanted.high)
        for field in ("finding", "reader", "size"):
            menu[field].value = getattr(model.wanted, field)
        menu["order"].value, menu["method"].value = model.order, model.table.method
        by_layer, by_head = looks_at_layers(model.table.method)
        attends = any(source.depth for source in model.sources)
        menu["layer"].disabled, menu["head"].disabled = not (by_layer or attends), not (by_head or attends)
        again.disabled = model.is_sorted
        drawing = False
        caption.value = model.caption
        message.value = f'<span style="color:{theme.WARNING}">{html.escape(model.message)}</span>'
        draw_case()
        draw_sheet()

    def draw_case() -> None:
        nonlocal panels
        if not len(model.rows):
            panels, case.children = None, (live_figure(model.figure()),)
        elif panels is None:
            panels = LivePanels(model.panels(), **model.look(), clicked=clicked)
            case.children = (panels.widget,)
        else:
            panels.move(model.panels(), **model.look())

    def draw_sheet() -> None:
        nonlocal paged
        # A moved slider changes nothing of it, and another case of the same sixteen only the frame.
        page = (model.place // PER_PAGE, model.rows.tobytes(), model.sorted_by, model.table, model.wanted)
        if page == paged:
            if len(model.rows):
                move_frame(sheet.children[0], model.place % PER_PAGE)
            return
        paged, figure = page, model.gallery()
        # A widget that is there already is drawn at once; a new one costs a browser seconds.
        if not (len(model.rows) and sheet.children and move_gallery(sheet.children[0], figure)):
            live = live_figure(figure)
            if len(model.rows):
                live.data[1].on_click(lambda _, points, __: opened(points.point_inds))
            sheet.children = (live,)

    def chosen_head() -> int | None:
        head = menu["head"].value
        return None if head == ALL else head

    def opened(points: Any) -> None:
        if points:
            model.go_to(model.place // PER_PAGE * PER_PAGE + points[0])
            afterwards(draw)

    def clicked(panel: int, spot: int) -> None:
        # The bare picture of a single model has no places.
        number = panel - (len(model.sources) == 1)
        model.attend(number, spot, menu["layer"].value, chosen_head())
        afterwards(draw)

    def press(key: str) -> None:
        nonlocal pressed
        pressed = time.monotonic()
        model.press(key)
        draw()

    def heard_key() -> bool:
        """Say whether a value of the slider may be that of a key before: browsers give back what is set."""
        return time.monotonic() - pressed < ECHO

    def when(widget: Any, act: Any) -> None:
        def answer(change: Any) -> None:
            if not drawing:
                act(change["new"])
                draw()

        widget.observe(answer, "value")

    def explain_by(_: Any) -> None:
        if model.attended is not None:
            shown, columns = model.attended, model.table.grid(model.attended.model, model.case).shape[1]
            spot = shown.place[0] * columns + shown.place[1]
            model.back()
            model.attend(shown.model, spot, menu["layer"].value, chosen_head())
        else:
            message.value = "Computing the maps of this method, once; they are kept with the run ..."
            model.explain_by(menu["method"].value, menu["layer"].value, chosen_head())

    for field in ("finding", "reader", "size"):
        when(menu[field], lambda value, field=field: model.choose(**{field: value}))
    when(menu["order"], model.sort)
    for field in ("method", "layer", "head"):
        when(menu[field], explain_by)
    when(iou, lambda value: model.choose(low=value[0], high=value[1]))
    when(threshold, lambda value: heard_key() or model.read_by(threshold=value))
    when(smoothing, lambda value: model.read_by(smoothing=value))
    when(opacity, model.show_map)
    when(boxes, model.show_boxes)
    when(place, model.go_to)
    when(name, model.find)
    back.on_click(lambda _: (model.go_to(model.place - 1), draw()))
    onward.on_click(lambda _: (model.go_to(model.place + 1), draw()))
    again.on_click(lambda _: (model.sort(), draw()))
    save.on_click(lambda _: (model.save(), draw()))
    keys = key_listener("wb-box-explorer", KEYS, press)
    draw()
    compared = [menu[name] for name in ("method", "layer", "head") if len(menu[name].options) > 1]
    rows = [
        ipywidgets.HBox(row, layout={"flex_flow": "row wrap"})
        for row in (
            [menu["finding"], menu["reader"], menu["size"], iou, menu["order"]],
            [*compared, name],
            [threshold, smoothing, opacity, boxes],
            [back, place, onward, again, save],
        )
    ]
    return ipywidgets.VBox([*rows, caption, message, case, hint, sheet, keys]).add_class("wb-box-explorer")


def _menu(name: str, offer: Any) -> Any:
    import ipywidgets

    widths = {"finding": "220px", "order": "220px", "method": "200px"}
    offer = [(words, ALL if value is None else value) for words, value in offer]
    return ipywidgets.Dropdown(options=offer, layout={"width": widths.get(name, "150px")})


def _slider(name: str, value: float, low: float, high: float, step: float, width: str) -> Any:
    import ipywidgets

    return ipywidgets.FloatSlider(
        value=value,
        min=low,
        max=high,
        step=step,
        description=name,
        style={"description_width": "initial"},
        layout={"width": width},
    )
