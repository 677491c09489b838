"""The shell of the retrieval console: lays its controls out and passes on what a person does."""

import html
from typing import Any

from workbench import theme
from workbench.widgets.display import figure_output


def retrieval_shell(model: Any) -> Any:
    """Return the widget of a `RetrievalConsole`: what is looked with, all scores, the best."""
    import ipywidgets

    sentence = _text("type a sentence, then Enter", "470px")
    example = ipywidgets.Dropdown(
        options=[("or an example ...", ""), *model.examples()], layout={"width": "190px"}
    )
    name = _text("or a study or patient, then Enter", "240px")
    dice = ipywidgets.Button(icon="random", tooltip="a picture drawn at random", layout={"width": "36px"})
    like = ipywidgets.Dropdown(layout={"width": "190px"})
    number = ipywidgets.BoundedIntText(
        value=model.k,
        min=1,
        max=50,
        description="show the best",
        style={"description_width": "98px"},
        layout={"width": "164px"},
    )
    apart = ipywidgets.Checkbox(
        value=model.apart,
        description="leave the same patient out",
        indent=False,
        layout={"width": "210px"},
    )
    message = ipywidgets.HTML().add_class("wb-message")
    table = ipywidgets.HTML(layout={"max_height": "1330px", "overflow": "auto"}).add_class("wb-found")
    scores = ipywidgets.Output().add_class("wb-scores")
    drawing = False  # what the shell itself sets is not a wish of the person

    def draw() -> None:
        nonlocal drawing
        drawing = True
        sentence.value, name.value, example.value = model.sentence, "", ""
        ranks = [(f"like number {rank}", rank) for rank in range(1, len(model.best) + 1)]
        like.options = [("or more like these ...", 0), *ranks]
        like.value, number.value = 0, model.k
        apart.value, apart.disabled = model.apart, model.picture is None
        drawing = False
        message.value = f'<span style="color:{theme.WARNING}">{html.escape(model.message)}</span>'
        table.value = model.table()
        scores.outputs = figure_output(model.histogram())

    def when(widget: Any, act: Any) -> None:
        def answer(change: Any) -> None:
            if not drawing:
                act(change["new"])
                draw()

        widget.observe(answer, "value")

    when(sentence, model.ask)
    when(example, model.ask)
    when(name, model.find)
    when(like, model.like)
    when(number, model.show_best)
    when(apart, model.keep_apart)
    dice.on_click(lambda _: (model.surprise(), draw()))
    sentence.disabled = example.disabled = not model.search.reads
    draw()
    rows = [
        ipywidgets.HBox(row, layout={"flex_flow": "row wrap"})
        for row in ([sentence, example], [name, dice, like, apart, number])
    ]
    return ipywidgets.VBox([*rows, message, scores, table]).add_class("wb-retrieval")


def _text(placeholder: str, width: str) -> Any:
    """Return a line to type into; it answers when Enter is pressed or the line is left."""
    import ipywidgets

    return ipywidgets.Text(placeholder=placeholder, continuous_update=False, layout={"width": width})
