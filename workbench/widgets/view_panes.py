"""Views side by side in the browser, maps on them, and where a person clicks."""

from collections.abc import Callable, Sequence
from typing import Any

from workbench import theme
from workbench.figures.box_panels import picture_uri
from workbench.figures.heat import heat_uri
from workbench.study_reading.drawn import Layer, Picture

SCRIPT = """
const SVG = "http://www.w3.org/2000/svg";
const make = (kind, name, text = "") => {
  const made = document.createElement(kind);
  made.className = name;
  made.textContent = text;
  return made;
};
const outline = (corners, name) => {
  const [x0, y0, x1, y1] = corners;
  return ["casing", name].map((look) => {
    const box = document.createElementNS(SVG, "rect");
    const place = { x: x0, y: y0, width: x1 - x0, height: y1 - y0 };
    for (const [key, value] of Object.entries(place)) box.setAttribute(key, value);
    box.setAttribute("class", look);
    box.setAttribute("vector-effect", "non-scaling-stroke");
    return box;
  });
};
export default {
  render({ model, el }) {
    const all = make("div", "wb-panes");
    el.append(all);
    let panes = [];
    const bar = ([name, share]) => {
      const line = make("div", "wb-bar");
      const track = make("span", "wb-track");
      track.append(make("span", "wb-share"));
      track.firstChild.style.width = `${100 * share}%`;
      const value = make("span", "wb-value", `${Math.round(100 * share)}%`);
      line.append(make("span", "wb-name", name), track, value);
      return line;
    };
    const lay = () => {
      model.get("layers").forEach((layer, index) => {
        const pane = panes[index];
        if (!pane) return;
        pane.heat.src = layer.heat;
        pane.heat.style.opacity = model.get("opacity");
        pane.spot.replaceChildren(...(layer.spot ? outline(layer.spot, "spot") : []));
        const text = layer.text ? [make("div", "wb-line", layer.text)] : [];
        pane.below.replaceChildren(...layer.bars.map(bar), ...text);
      });
    };
    const draw = () => {
      panes = model.get("pictures").map((picture, index) => {
        const square = make("div", "wb-square");
        const below = make("div", "wb-below");
        const image = Object.assign(make("img", "wb-picture"), { src: picture.source, alt: picture.title });
        const heat = Object.assign(make("img", "wb-heat"), { alt: "" });
        const lines = document.createElementNS(SVG, "svg");
        lines.setAttribute("viewBox", `0 0 ${picture.size} ${picture.size}`);
        const [fixed, spot] = [0, 1].map(() => document.createElementNS(SVG, "g"));
        fixed.append(...picture.boxes.flatMap((box) => outline(box, "reader")));
        fixed.append(outline(picture.seen, "seen")[1]);
        lines.append(fixed, spot);
        square.append(image, heat, lines);
        square.title = picture.findings.length ? `boxes: ${picture.findings.join(", ")}` : "";
        square.addEventListener("click", (event) => {
          const frame = square.getBoundingClientRect();
          const at = [event.clientX - frame.left, event.clientY - frame.top];
          const [x, y] = at.map((edge) => (edge / frame.width) * picture.size);
          model.set("touched", [index, x, y, model.get("touched")[3] + 1]);
          model.save_changes();
        });
        const pane = make("div", "wb-pane");
        pane.append(make("div", "wb-title", picture.title), square, below);
        return { pane, heat, spot, below };
      });
      all.replaceChildren(...panes.map(({ pane }) => pane));
      lay();
    };
    model.on("change:pictures", draw);
    model.on("change:layers", lay);
    model.on("change:opacity", lay);
    draw();
  },
};
"""

CARD = "wb-card"
"""Class of a widget around the views that stays light in a dark JupyterLab, as every figure does."""

STYLE = f"""
.{CARD} {{ background: {theme.PAPER}; color: {theme.INK}; padding: 6px 10px;
  --jp-widgets-label-color: {theme.INK}; --jp-ui-font-color1: {theme.INK};
  --jp-content-font-color1: {theme.INK}; --jp-widgets-input-color: {theme.INK};
  --jp-widgets-input-background-color: {theme.PAPER}; --jp-widgets-input-border-color: {theme.QUIET};
  --jp-layout-color2: {theme.GRID}; --jp-layout-color3: {theme.QUIET}; }}
.{CARD} input::placeholder {{ color: {theme.QUIET}; opacity: 1; }}
.wb-panes {{ display: flex; flex-wrap: wrap; gap: 12px; font: 12px/1.5 {theme.FONT}; color: {theme.QUIET}; }}
.wb-pane {{ flex: 1 1 200px; max-width: 400px; }}
.wb-square {{ position: relative; aspect-ratio: 1; background: #000; cursor: crosshair; margin: 2px 0 6px; }}
.wb-square > * {{ position: absolute; inset: 0; width: 100%; height: 100%; user-select: none; }}
.wb-square img {{ margin: 0; max-width: none; pointer-events: none; }}
.wb-square rect {{ fill: none; stroke-width: 2px; }}
.wb-square .casing {{ stroke: rgba(0, 0, 0, 0.55); stroke-width: 5px; }}
.wb-square .reader {{ stroke: {theme.READER_BOX}; }}
.wb-square .spot {{ stroke: #fff; }}
.wb-square .seen {{ stroke: rgba(160, 170, 180, 0.8); stroke-width: 1px; stroke-dasharray: 2 3; }}
.wb-bar {{ display: flex; align-items: center; gap: 6px; }}
.wb-bar .wb-name {{ flex: 1; }}
.wb-track {{ width: 90px; height: 7px; background: {theme.GRID}; border-radius: 2px; }}
.wb-share {{ display: block; height: 7px; background: {theme.COLOURS[0]}; border-radius: 2px; }}
.wb-value {{ width: 34px; text-align: right; }}
"""


def view_panes(touched: Callable[[int, float, float], None] | None = None) -> Any:
    """Return a widget for `show_pictures` and `show_layers`.

    Args:
        touched: is told the place of a view that was clicked, and x and y there in stored pixels.
    """
    import anywidget
    import traitlets

    class ViewPanes(anywidget.AnyWidget):
        _esm = SCRIPT
        _css = STYLE
        pictures = traitlets.List().tag(sync=True)
        layers = traitlets.List().tag(sync=True)
        opacity = traitlets.Float(0.75).tag(sync=True)
        touched = traitlets.List([0, 0.0, 0.0, 0]).tag(sync=True)  # view, x, y, how often

    panes = ViewPanes()
    if touched is not None:
        panes.observe(lambda change: touched(*change["new"][:3]), "touched")
    return panes


def show_pictures(panes: Any, pictures: Sequence[Picture]) -> None:
    """Show other views, without maps."""
    panes.layers = []
    panes.pictures = [
        {
            "title": picture.title,
            "source": picture_uri(picture.pixels),
            "size": len(picture.pixels),
            "boxes": picture.boxes.tolist(),
            "findings": sorted(set(picture.findings)),
            "seen": list(picture.seen),
        }
        for picture in pictures
    ]


def show_layers(panes: Any, layers: Sequence[Layer]) -> None:
    """Show other maps on the same views."""
    panes.layers = [
        {
            "heat": heat_uri(layer.heat, 0.0),
            "bars": list(map(list, layer.bars.items())),
            "spot": None if layer.spot is None else list(layer.spot),
            "text": layer.text,
        }
        for layer in layers
    ]
