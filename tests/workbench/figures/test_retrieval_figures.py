"""Figures and tables of retrieval show the numbers they were given, beside chance and the paper."""

import re

import numpy as np
import pytest

from workbench import theme
from workbench.figures.retrieval import precision_by_k, table_beside_paper
from workbench.published import CONVIRT_TABLE_2, CONVIRT_TABLE_3


def retrieval(estimates, chance=0.2):
    precision = {
        k: {"estimate": value, "low": value - 0.1, "high": value + 0.05} for k, value in estimates.items()
    }
    return {"precision": precision, "chance": chance}


@pytest.fixture
def judged():
    texts = retrieval({"5": 0.8, "10": 0.7})
    plain = retrieval({"5": 0.6})
    return {
        "convirt": {
            "image_image": retrieval({"5": 0.5, "10": 0.45}),
            "text_image": {"all": texts, "styles": {"plain": plain}},
        },
        "random": {"image_image": retrieval({"5": 0.3}), "text_image": None},
    }


def test_runs_stand_side_by_side_with_intervals_and_chance(judged):
    figure = precision_by_k(judged, "image_image", note="Open-i")
    convirt, random = figure.data
    assert (convirt.name, random.name) == ("ConVIRT", "random initialisation")
    assert list(convirt.y) == [0.5, 0.45] and list(random.y) == [0.3]
    np.testing.assert_allclose(convirt.error_y.array, 0.05)
    np.testing.assert_allclose(convirt.error_y.arrayminus, 0.1)
    assert convirt.x[0] < random.x[0] < convirt.x[1]
    assert random.marker.color == theme.BASELINE
    assert list(figure.layout.xaxis.ticktext) == ["@5", "@10"]
    assert [line.y0 for line in figure.layout.shapes] == [0.2]
    assert figure.layout.annotations[0].text == "chance 0.200"


def test_runs_without_texts_and_styles_are_left_out(judged):
    assert [trace.name for trace in precision_by_k(judged, "text_image").data] == ["ConVIRT"]
    assert list(precision_by_k(judged, "text_image", style="plain").data[0].y) == [0.6]
    with pytest.raises(ValueError, match="None of convirt, random was judged by text_image, style 'paper'"):
        precision_by_k(judged, "text_image", style="paper")
    with pytest.raises(ValueError, match="kind 'text' is not one of image_image, text_image"):
        precision_by_k(judged, "text")


def test_lists_with_their_own_sentences_have_no_styles():
    figure = precision_by_k({"convirt": {"text_image": retrieval({"50": 0.4}, 0.125)}}, "text_image")
    assert list(figure.data[0].y) == [0.4]


def cells(table):
    rows = re.findall(r"<tr>(.*?)</tr>", table)[1:]
    return [[re.sub(r"<[^>]+>", "", cell) for cell in re.findall(r"<td.*?</td>", row)] for row in rows]


def test_the_table_has_our_rows_above_those_of_the_paper(judged):
    table = table_beside_paper(judged | {"<b>": judged["random"]}, note="Open-i, 20 candidates")
    ours, random, escaped, *paper = cells(table)
    assert ours[:2] == ["ConVIRT", "20.0"]
    assert ours[2:5] == ["50.0 [40.0, 55.0]", "45.0 [35.0, 50.0]", "-"]
    assert ours[5] == "80.0 [70.0, 85.0]" and random[5:] == ["-", "-", "-"]
    assert escaped[0] == "&lt;b&gt;" and len(paper) == len(CONVIRT_TABLE_2) == 7
    convirt = next(row for row in paper if row[0] == "ConVIRT (paper)")
    assert convirt[1:] == ["12.5", "45.0", "42.9", "35.7", "60.0", "57.5", "48.8"]
    assert "Open-i, 20 candidates. Paper: Zhang et al. 2020" in table


def test_the_numbers_of_the_paper_are_its_own(shared):
    """Each row of Table 2 as the paper's text has it."""
    text = (
        (shared / "seeds" / "convirt.txt").read_text(encoding="utf-8").replace("<b>", "").replace("</b>", "")
    )
    lines = [line.split("\t") for line in text.splitlines()]
    printed = {line[0].removesuffix(" (Ours)"): line[1:] for line in lines if len(line) == 7}
    for row in CONVIRT_TABLE_2:
        values = [row.image_image[k] for k in (5, 10, 50)] + [row.text_image.get(k) for k in (5, 10, 50)]
        shown = ["\u2013" if value is None else f"{100 * value:.1f}" for value in values]
        assert printed[row.method] == shown


def test_the_hyper_parameters_of_the_paper_are_its_own(shared):
    """Each row of Table 3 as the paper's text has it, where formulas stand in dollar signs."""
    text = (shared / "seeds" / "convirt.txt").read_text(encoding="utf-8").replace("\\", "").replace("$", "")
    lines = [line.split("\t") for line in text.splitlines()]
    printed = {line[0]: line[1:] for line in lines if len(line) == 4}
    for row in CONVIRT_TABLE_3:
        values = [row.linear_auroc, row.image_image, row.text_image]
        assert printed[row.setting] == [f"{100 * value:.1f}" for value in values]
