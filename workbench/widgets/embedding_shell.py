"""The shell of the embedding explorer: maps that are drawn around on, and what that means below."""

import html
import threading
from typing import Any

import numpy as np

from workbench import theme
from workbench.figures.live import live_figure
from workbench.widgets.display import figure_output
from workbench.widgets.map_overlay import SHEET
from workbench.widgets.map_overlay_shell import MapControls
from workbench.widgets.picture_grid import PictureGrid

DEAF = 8.0
"""Seconds in which maps must answer, or they are made anew: anywidget gives up a figure that a busy browser
did not start in two, and plotly is 5 MB to read. It draws and tells, but hears nothing."""


def embedding_shell(model: Any) -> Any:
    """Return the widget of an `EmbeddingExplorer`: maps with one group, its sheet, its words, one study."""
    import ipywidgets

    def menu(options: Any, width: str, **more: Any) -> Any:
        return ipywidgets.Dropdown(options=options, layout={"width": width}, **more)

    def text(placeholder: str, width: str) -> Any:
        layout = {"width": width}
        return ipywidgets.Text(placeholder=placeholder, continuous_update=False, layout=layout)

    def button(icon: str, tooltip: str, label: str = "", width: str = "36px") -> Any:
        return ipywidgets.Button(icon=icon, tooltip=tooltip, description=label, layout={"width": width})

    method = menu(model.method_menu(), "170px", value=model.method)
    colour = menu(list(model.known), "190px", value=model.colouring.name)
    group = menu([], "190px")
    words = text("or words of reports, Enter", "190px")
    name = text("go to study or patient", "170px")
    clear = button("times", "take the group back")
    place = ipywidgets.IntSlider(readout=False, layout={"width": "250px"})
    back, onward = button("chevron-left", "the picture before"), button("chevron-right", "the next picture")
    near = button("dot-circle-o", "its nearest pictures of other patients", "neighbours", "120px")
    file = text("name of the list", "180px")
    keep = button("save", "write the studies of the group as CSV", "keep list", "110px")
    legend = ipywidgets.HTML()
    caption = ipywidgets.Label().add_class("wb-caption")
    message = ipywidgets.HTML().add_class("wb-message")
    sheet = PictureGrid(model.per_sheet, lambda number: do(model.step_on_sheet, number))
    apart = ipywidgets.Output().add_class("wb-apart")
    study = ipywidgets.Output().add_class("wb-study")
    drawn = ipywidgets.VBox().add_class("wb-maps")
    drawing = False  # what the shell itself sets is not a wish of the person
    selecting = False  # whether the wish came from a map, which shows another selection now

    def state() -> dict[str, Any]:
        members, look = model.group.tobytes(), (model.method, model.colouring.name)
        return {"maps": look, "group": members, "focus": (model.focus, model.method)}

    shown: dict[str, Any] = {}

    def draw() -> None:
        nonlocal drawing
        drawing = True
        colour.value, method.value = model.colouring.name, model.method
        group.options = [("take a class ...", ""), *model.class_menu()]
        group.value, words.value, name.value = "", "", ""
        place.max, place.disabled = max(0, len(model.group) - 1), not len(model.group)
        place.value = model.rank or 0
        drawing = False
        overlay.draw()
        caption.value = model.caption
        now = state()
        changed("legend", model.colouring.name, lambda: setattr(legend, "value", model.legend()))
        if shown.get("maps") != now["maps"]:
            make_maps()
            shown.update(now)
        if selecting:
            shown.pop("group")
        changed("group", now["group"], unlace)
        changed("focus", now["focus"], ring)
        on_sheet = model.overlay.state if model.overlay.where == SHEET else ()
        changed("sheet", (model.on_sheet().tobytes(), on_sheet), draw_sheet)
        sheet.frame(model.rank_on_sheet)
        changed("apart", now["group"], lambda: fill(apart, len(model.group) > 0, model.apart))
        changed("study", (model.focus, model.overlay.state), draw_study)
        say(model.said)  # at the end: maps that cannot be computed say so when they are drawn

    def say(words: str) -> None:
        warning = theme.WARNING if not words.endswith(".csv") else theme.QUIET
        # Dark text needs its light ground in a dark JupyterLab too.
        look = f"color:{warning};background:{theme.PAPER};padding:2px 6px" if words else ""
        message.value = f'<span style="{look}">{html.escape(words)}</span>'

    def draw_study() -> None:
        fill(study, model.focus is not None, model.study)

    def changed(part: str, now: Any, act: Any) -> None:
        """Draw a part anew only where something in it is new."""
        if part not in shown or shown[part] != now:
            shown[part] = now
            act()

    def fill(output: Any, something: bool, make: Any) -> None:
        output.outputs = figure_output(make()) if something else ()

    def mark() -> None:
        order = model.drawn_order()
        chosen = np.flatnonzero(np.isin(order, model.group)).tolist() if len(model.group) else None
        (maps,) = drawn.children
        with maps.batch_update():
            for trace in maps.data[0::2]:
                trace.selectedpoints = chosen

    def unlace() -> None:
        """Take the outline away: one that stays would select its points again with every change."""
        drawn.children[0].plotly_relayout({"selections": []})
        mark()

    def ring() -> None:
        (maps,) = drawn.children
        with maps.batch_update():
            for number, trace in enumerate(maps.data[1::2]):
                at = model.atlas.map(number, model.method)[[] if model.focus is None else [model.focus]]
                trace.x, trace.y = at[:, 0], at[:, 1]

    def draw_sheet() -> None:
        places = model.on_sheet()
        note = f'<div style="font-size:12px;color:{theme.QUIET}">{html.escape(model.note)}</div>'
        title = f"<div>{html.escape(model.sheet_title)}</div>{note}" if len(places) else ""
        studies = model.atlas.pictures.table["study_id"].iloc[places]
        sheet.show(title, model.sheet_pictures(), model.findings(places), list(studies))

    def do(act: Any, *values: Any, from_map: bool = False) -> None:
        nonlocal selecting
        selecting = from_map
        act(*values)
        draw()
        selecting = False

    def draw_map(wanted: str) -> None:
        message.value = "The maps are computed; UMAP's first one takes half a minute ..."
        model.draw(wanted)

    def choose_overlay(act: Any, value: Any) -> None:
        message.value = "Where the model looks is computed ..."
        do(act, value)

    def when(widget: Any, act: Any) -> None:
        def answer(change: Any) -> None:
            if not drawing and change["new"] != "":
                do(act, change["new"])

        widget.observe(answer, "value")

    def make_maps() -> None:
        """Make the maps anew, born with all they show: what is moved in maps not yet drawn is lost."""
        owing = threading.Event()  # a browser that hears that an outline goes says that it has gone

        def check() -> None:
            if owing.is_set() and drawn.children == (maps,):
                make_maps()

        maps = live_figure(model.maps(is_live=True))
        found: list[tuple[int, Any]] = []  # what an outline holds, told one map after the other
        for number, trace in enumerate(maps.data[0::2]):

            def lassoed(_: Any, picked: Any, outline: Any, number: int = number) -> None:
                if outline is None:  # it was taken away, and with it the selection of the browser
                    owing.clear()
                    mark()
                    return
                found.append((number, picked.point_inds))
                if len(found) == len(maps.data) // 2:
                    on_map, inside = max(found, key=lambda one: len(one[1]))
                    found.clear()
                    owing.set()
                    timer = threading.Timer(DEAF, check)
                    timer.daemon = True
                    timer.start()
                    do(model.lasso, model.drawn_order()[inside], on_map, from_map=True)

            def clicked(_: Any, picked: Any, __: Any) -> None:
                if picked.point_inds:
                    do(model.look_at, model.drawn_order()[picked.point_inds[0]])

            trace.on_selection(lassoed)
            trace.on_click(clicked)
        maps.data[0].on_deselect(lambda *_: do(model.clear))  # told to every map
        drawn.children = (maps,)

    when(method, draw_map)
    when(colour, model.colour_by)
    when(group, model.pick_class)
    when(words, model.pick_words)
    when(name, model.find)
    when(place, model.step_to)
    back.on_click(lambda _: place.set_trait("value", max(place.min, place.value - 1)))
    onward.on_click(lambda _: place.set_trait("value", min(place.max, place.value + 1)))
    near.on_click(lambda _: do(model.pick_neighbours))
    clear.on_click(lambda _: (shown.clear(), do(model.clear)))  # the maps are made anew
    keep.on_click(lambda _: do(model.export, file.value))
    overlay = MapControls(model.overlay, choose_overlay)
    draw()

    def row(*controls: Any) -> Any:
        return ipywidgets.HBox(controls, layout={"flex_flow": "row wrap", "align_items": "center"})

    return ipywidgets.VBox(
        [
            row(method, colour, group, words, name, clear),
            legend,
            drawn,
            message,
            caption,
            row(back, place, onward, near, file, keep),
            overlay.widget,
            sheet.widget.add_class("wb-group-sheet"),
            apart,
            study,
        ]
    ).add_class("wb-embedding")
