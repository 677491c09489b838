"""Figures of a store with flags: what is odd stands where it is, copies beside the earlier picture."""

import base64
import io

import numpy as np
import pytest
from PIL import Image
from tiny_flags import flag_views
from tiny_studies import TinyStudies

from lib.data.ingest import ingest
from lib.data.splits import make_manifest
from lib.data.store import Store
from workbench.figures import stores
from workbench.figures.heat import Cover
from workbench.figures.pictures import data_uri

COPY, FIRST = 8, 2


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    path = tmp_path_factory.mktemp("store") / "tiny"
    ingest(TinyStudies(40), path, image_size=36, workers=0, progress=False)
    flags = {COPY: "near_identical", 20: "inverted", 30: "inverted", 33: "inverted"}
    flag_views(path, flags, twins={COPY: FIRST})
    return Store(path)


def pictures(figure):
    return [trace.source for trace in figure.data if trace.type == "image"]


def test_a_copy_has_the_earlier_picture_beside_it(store):
    row = int(store.views["study_row"][COPY])
    views = list(range(store.view_offsets[row], store.view_offsets[row + 1]))
    figure = stores.study(store, row)
    expected = [one for view in views for one in ([view, FIRST] if view == COPY else [view])]
    assert pictures(figure) == [data_uri(store.images[view]) for view in expected]
    captions = " ".join(note.text for note in figure.layout.annotations)
    assert "flag: near identical (0.99) of" in captions
    assert "the earlier picture" in captions
    assert f"study {store.views['study_id'][FIRST]}" in captions


def test_a_map_lies_on_its_view_alone(store):
    row = int(store.views["study_row"][COPY])
    first = int(store.view_offsets[row])
    heat = np.zeros((store.image_size, store.image_size), np.float32)
    heat[:10, :10] = 1
    plain = pictures(stores.study(store, row))
    covered = stores.study(store, row, covers={first: Cover(heat, "CAM of <b>")})
    assert pictures(covered)[1:] == plain[1:] and pictures(covered)[0] != plain[0]
    shown = np.asarray(Image.open(io.BytesIO(base64.b64decode(pictures(covered)[0].partition(",")[2]))))
    colour = shown.max(axis=2).astype(int) - shown.min(axis=2)
    assert colour[:8, :8].mean() > 60 and colour[14:, 14:].mean() < 12
    assert "CAM of &lt;b&gt;" in covered.layout.annotations[0].text


def test_a_study_without_flags_has_its_views_alone(store):
    row = int(store.views["study_row"][0])
    figure = stores.study(store, row)
    assert len(pictures(figure)) == store.view_offsets[row + 1] - store.view_offsets[row]
    assert "flag" not in str(figure.layout.annotations)


def test_the_sheet_of_a_flag_begins_with_the_surest(store):
    figure = stores.flag_examples(store, "inverted", count=2)
    assert "2 of 3 pictures" in figure.layout.title.text
    hover = figure.data[1].hovertext
    assert [text.partition("<br>")[0] for text in hover] == list(store.views["view_id"][[20, 30]])
    below = [note.text for note in figure.layout.annotations]
    assert below[0].startswith(f"study {store.views['study_id'][20]}<br>") and "0.98" in below[0]


def test_copies_come_as_pairs_named_in_their_order(store):
    figure = stores.flag_examples(store, "near_identical")
    first, copy = (store.views["study_id"][view] for view in (FIRST, COPY))
    (below,) = figure.layout.annotations
    assert below.text.startswith(f"study {first} | {copy}")
    assert "1 picture<" in figure.layout.title.text
    pair = Image.open(io.BytesIO(base64.b64decode(figure.data[0].source.partition(",")[2])))
    side = pair.height - 46  # three lines stand below
    for left, view in ((0, FIRST), (pair.width - side, COPY)):
        shown = np.asarray(pair.crop((left, 0, left + side, side)).resize((36, 36)), float)
        differences = [np.abs(shown - store.images[one]).mean() for one in (FIRST, COPY)]
        assert np.argmin(differences) == (FIRST, COPY).index(view)


def test_a_flag_that_no_picture_has_is_said_to_be_so(store):
    assert "no picture" in stores.flag_examples(store, "blank").layout.title.text
    assert stores.flag_counts(store) == {"near_identical": 1, "inverted": 3}


def test_a_split_is_counted_with_what_is_in_none(store):
    manifest = make_manifest(store, leave_out=["inverted"])
    text = stores.split_tables(store, manifest)
    unused = np.flatnonzero(manifest.split < 0)
    assert f">{len(unused)}</td>" in text and "no split" in text
    assert "left out: inverted" in text
