"""Rows of pictures with boxes, similarities before and after, the queue by age, labels that are left out."""

import numpy as np
import pandas as pd
import pytest

from workbench import theme
from workbench.baselines.shown import Box, CropSimilarity, LabelUse, PictureRows, QueueSimilarity, Tile
from workbench.figures.crops import crop_matrices, positives_and_negatives, queue_by_age
from workbench.figures.label_use import label_use
from workbench.figures.picture_rows import GAP, LARGEST, picture_rows


def tile(side=20, **about):
    return Tile(np.full((side, side), 90, np.uint8), **about)


def annotation(figure, text):
    return next(one for one in figure.layout.annotations if one.text == text)


def test_pictures_stand_under_their_headings_over_their_captions():
    rows = [[tile(caption="one & two"), tile(40)], [tile(caption="three")]]
    figure = picture_rows(PictureRows("A < b", rows, heads=["stored", "seen"], note="2 of 9"), note="tiny")
    assert figure.layout.title.text.startswith("A &lt; b<br>") and "tiny | 2 of 9" in figure.layout.title.text
    left, right = annotation(figure, "stored"), annotation(figure, "seen")
    assert right.x - left.x == LARGEST + GAP and left.yref == right.yref == "paper"
    below = annotation(figure, "one &amp; two"), annotation(figure, "three")
    assert below[0].x == below[1].x == left.x == 0
    assert below[1].y > below[0].y == LARGEST  # rows go down
    # One pixel of the figure is one pixel of the sheet, whatever stands around it.
    margin = figure.layout.margin
    across, down = figure.layout.xaxis.range[1], figure.layout.yaxis.range[0]
    assert figure.layout.width - margin.l - margin.r == across == 2 * LARGEST + GAP
    assert figure.layout.height - margin.t - margin.b == down
    assert figure.layout.width == theme.WIDTH


def test_many_pictures_share_the_width():
    figure = picture_rows(PictureRows("Many", [[tile()] * 11]))
    assert figure.layout.xaxis.range[1] <= theme.WIDTH - 32
    assert figure.layout.annotations == ()


def test_long_notes_are_broken_and_make_room():
    short = picture_rows(PictureRows("A", [[tile()]], note="a"))
    long = picture_rows(PictureRows("A", [[tile()]], note="many words " * 30 + "<br>and more"))
    lines = long.layout.title.text.count("<br>") - short.layout.title.text.count("<br>")
    assert lines == 3
    assert long.layout.height - short.layout.height == long.layout.margin.t - short.layout.margin.t == 15 * 3


def test_boxes_are_scaled_and_those_of_a_pair_are_linked():
    boxes = [Box(0, 0, 5, 5, 0), Box(10, 15, 5, 5, 0), Box(2, 4, 3, 6, 1)]
    figure = picture_rows(PictureRows("Boxes", [[tile(), tile(boxes=boxes)]]))
    shapes = figure.layout.shapes
    scale, left = LARGEST / 20, LARGEST + GAP
    rectangles = [one for one in shapes if one.type == "rect"]
    for box, one in zip(boxes, rectangles, strict=True):
        assert one.x0 == pytest.approx(left + scale * box.left)
        assert one.x1 - one.x0 == pytest.approx(scale * box.width)
        assert one.y0 == pytest.approx(scale * box.top) and one.y1 - one.y0 == pytest.approx(
            scale * box.height
        )
    (link,) = [one for one in shapes if one.type == "line"]
    middles = [((one.x0 + one.x1) / 2, (one.y0 + one.y1) / 2) for one in rectangles[:2]]
    assert [(link.x0, link.y0), (link.x1, link.y1)] == [pytest.approx(middle) for middle in middles]
    assert rectangles[0].line.color == rectangles[1].line.color != rectangles[2].line.color


@pytest.fixture
def similarity():
    values = np.array([[0.9, 0.1], [0.4, 0.3]])
    return CropSimilarity(
        study_ids=["a", "b<"],
        labels=["Edema", "none positive"],
        by_weights={"initial": values / 2, "trained": values},
        ranks={"initial": 1.5, "trained": 1.0},
        own={"initial": np.array([0.45, 0.15]), "trained": np.array([0.9, 0.3, 0.31])},
        others={"initial": np.array([0.05, 0.2]), "trained": np.array([0.1, 0.4, -0.2, 0.3])},
        queue=QueueSimilarity(
            size=64,
            ages=np.array([1, 2]),
            means=np.array([0.1, 0.2]),
            low=np.array([-0.1, 0.0]),
            high=np.array([0.3, 0.4]),
            values=np.array([0.0, 0.1, 0.2]),
            num_queries=7,
        ),
    )


def test_matrices_say_whose_crops_and_at_which_rank(similarity):
    figure = crop_matrices(similarity, note="tiny")
    np.testing.assert_array_equal(figure.data[1].z, similarity.by_weights["trained"])
    assert figure.data[1].text[1][0] == "query: b&lt;: none positive<br>key: a: Edema"
    assert annotation(figure, "after training: own key at rank 1.0 of 2")
    assert "3 pictures, by chance 1.5" in figure.layout.title.text


def test_histograms_count_every_similarity_once_as_shares(similarity):
    figure = positives_and_negatives(similarity, note="tiny")
    names = [trace.name for trace in figure.data]
    assert names == [
        *("key of the same picture", "keys of other pictures of the batch"),
        *("key of the same picture", "keys of other pictures of the batch", "keys in the queue"),
    ]
    for trace in figure.data:
        assert sum(trace.y) == pytest.approx(100)
    after = figure.data[2]
    assert after.x[int(np.argmax(np.cumsum(after.y) > 99))] == pytest.approx(0.9, abs=0.05)
    assert [trace.showlegend for trace in figure.data] == [False, False, True, True, True]


def test_histograms_without_a_queue(similarity):
    figure = positives_and_negatives(CropSimilarity(**{**vars(similarity), "queue": None}))
    assert len(figure.data) == 4


def test_the_queue_is_drawn_by_age(similarity):
    figure = queue_by_age(similarity.queue, note="tiny")
    band, mean = figure.data
    assert list(mean.x) == [1, 2] and list(mean.y) == [0.1, 0.2]
    assert list(band.x) == [1, 2, 2, 1] and list(band.y) == [0.3, 0.4, 0.0, -0.1]
    assert "7 queries" in figure.layout.title.text and "64 keys" in figure.layout.title.text


def test_labels_that_are_left_out_say_why():
    table = pd.DataFrame(
        {
            "label": ["Edema", "Mass", "A<b"],
            "positive": [5, 40, 0],
            "negative": [95, 40, 0],
            "unknown": [0, 20, 100],
            "reason": ["", "", "not known of any"],
        }
    )
    figure = label_use(LabelUse(table), note="tiny")
    positive, negative, unknown = figure.data
    assert list(positive.y) == ["A&lt;b", "Edema", "Mass"] and list(positive.x) == [0, 5, 40]
    np.testing.assert_allclose(np.sum([positive.x, negative.x, unknown.x], axis=0), 100)
    assert list(positive.marker.opacity) == [0.4, 1, 1]
    (reason,) = figure.layout.annotations
    assert (reason.text, reason.y) == ("left out: not known of any", "A&lt;b")
    assert (
        figure.layout.title.text.startswith("2 of 3 labels are learnt")
        and "100 training" in figure.layout.title.text
    )
