"""The views of a study with its boxes and report, and sheets of many."""

import numpy as np
import pandas as pd
import pytest

from workbench.figures.studies import contact_sheet, frame, study_figure

COLUMNS = ["view", "finding", "reader", "x0", "y0", "x1", "y1"]


@pytest.fixture
def views():
    return list(np.random.default_rng(0).integers(0, 255, (3, 64, 64), dtype=np.uint8))


def draw(views, boxes=(), **report):
    return study_figure(
        views,
        [f"view {index}" for index in range(len(views))],
        pd.DataFrame(list(boxes), columns=COLUMNS),
        findings=report.get("findings", ""),
        impression=report.get("impression", ""),
        title="Study s1",
        note="phantom",
    )


@pytest.mark.parametrize(("count", "shape"), [(1, (1, 1)), (2, (1, 2)), (3, (2, 2)), (5, (3, 2))])
def test_each_view_has_its_own_panel_two_in_a_row(views, count, shape):
    figure = draw((views * 2)[:count])
    pictures = [trace for trace in figure.data if trace.type == "image"]
    assert all(picture.source.startswith("data:image/jpeg") and picture.z is None for picture in pictures)
    panels = [
        (figure.layout[picture.xaxis.replace("x", "xaxis")].domain, picture.yaxis) for picture in pictures
    ]
    assert len({picture.xaxis for picture in pictures}) == count
    lefts = sorted({domain[0] for domain, _ in panels})
    tops = {figure.layout[axis.replace("y", "yaxis")].domain[1] for _, axis in panels}
    assert (len(tops), len(lefts)) == shape
    captions = [note for note in figure.layout.annotations if note.text.startswith("view ")]
    assert [note.text for note in captions] == [f"view {index}" for index in range(count)]
    # Panels of a row are as wide as high, so that pictures fill them.
    width, height = panels[0][0][1] - panels[0][0][0], None
    if shape[0] > 1:
        domain = figure.layout[panels[0][1].replace("y", "yaxis")].domain
        height = (domain[1] - domain[0]) * (
            figure.layout.height - figure.layout.margin.t - figure.layout.margin.b
        )
        assert height == pytest.approx(width * (figure.layout.width - 32), rel=0.05)


def test_what_is_odd_stands_under_the_caption_and_is_no_markup(views):
    figure = study_figure(
        views[:2],
        ["PA", "<b>LATERAL"],
        pd.DataFrame([], columns=COLUMNS),
        findings="",
        impression="",
        warnings=["flag: inverted (0.91)\nflag: blank (0.80)", ""],
        title="Study <i>",
    )
    first, second = figure.layout.annotations[:2]
    assert first.text.startswith("PA<br><span") and first.text.count("<br>") == 2
    assert second.text == "&lt;b&gt;LATERAL"
    assert "Study &lt;i&gt;" in figure.layout.title.text
    plain = draw(views[:2])
    assert figure.layout.margin.t == plain.layout.margin.t + 32  # room for two more lines


def test_boxes_lie_on_their_view_in_the_colour_of_their_reader(views):
    boxes = [
        (0, "Mass", "R1", 1, 2, 11, 22),
        (1, "Mass", "R1", 3, 4, 13, 24),
        (1, "Nodule", "R2", 5, 6, 15, 26),
    ]
    figure = draw(views[:2], boxes)
    drawn = [trace for trace in figure.data if trace.type == "scatter" and trace.mode == "lines"]
    assert [trace.xaxis for trace in drawn] == ["x", "x2", "x2"]
    assert (min(drawn[0].x), max(drawn[0].x), min(drawn[0].y), max(drawn[0].y)) == (1, 11, 2, 22)
    assert [trace.text for trace in drawn] == ["Mass (R1)", "Mass (R1)", "Nodule (R2)"]
    assert drawn[0].line.color == drawn[1].line.color != drawn[2].line.color
    # Each finding of a view is named once, where its boxes begin.
    named = [(note.text, note.x, note.y, note.xref) for note in figure.layout.annotations[2:-1]]
    assert named == [("Mass", 1, 2, "x"), ("Mass", 3, 4, "x2"), ("Nodule", 5, 6, "x2")]
    # One entry a reader, however many boxes.
    assert [trace.name for trace in drawn if trace.showlegend] == ["R1", "R2"]


def test_the_report_stands_beside_the_views_with_its_sides_marked(views):
    figure = draw(views[:1], findings="Left effusion.", impression="Clear on the right.")
    text = figure.layout.annotations[-1].text
    assert "<u>Left</u>" in text
    assert "<b>right</b>" in text
    assert figure.layout.height > draw(views[:1]).layout.height - 1


def test_a_long_report_makes_the_figure_higher(views):
    assert draw(views, findings="word " * 600).layout.height > draw(views).layout.height


def test_the_contact_sheet_names_each_picture_at_its_place(views):
    figure = contact_sheet(np.stack(views), ["a", "b", "c"], columns=2, tile=20, title="t")
    picture, places = figure.data
    assert picture.source.startswith("data:image/jpeg")
    assert list(zip(places.hovertext, places.x, places.y, strict=True)) == [
        ("a", 10, 10),
        ("b", 34, 10),
        ("c", 10, 34),
    ]
    assert len(figure.to_json()) < 30_000


def test_a_sheet_says_below_what_each_picture_is_and_one_is_framed(views):
    figure = contact_sheet(
        np.concatenate([np.stack(views)] * 2, axis=2),
        ["a", "b\nc", "<b>"],
        below=["one", "two", "three\n<i>"],
        columns=2,
        tile=40,
        title="t",
    )
    # Pairs: twice as wide as high; a foot of two lines below each.
    assert list(figure.data[1].x) == [40, 124, 40]
    assert list(figure.data[1].y) == [20, 20, 40 + 4 + 32 + 20]
    assert list(figure.data[1].hovertext) == ["a", "b<br>c", "&lt;b&gt;"]
    assert [note.text for note in figure.layout.annotations] == ["one", "two", "three<br>&lt;i&gt;"]
    for place, corners in ((0, (0, 80, 0, 40)), (2, (0, 80, 76, 116))):
        frame(figure, place)
        (line,) = figure.layout.shapes
        assert (line.x0, line.x1, line.y0, line.y1) == corners
