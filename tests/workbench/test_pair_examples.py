"""What a pair objective sees: the training's own pictures and texts, mirrored ones with sides exchanged."""

import dataclasses

import numpy as np
import pytest
import torch
from tiny_pairs import sentences_of

from lib.data.augment import center_crop, normalize
from lib.data.laterality import swap_laterality
from workbench.batch_similarity import batch_similarity
from workbench.pair_examples import example_pairs, mirrored_pairs
from workbench.plan import plan
from workbench.reopen import load_objective, load_tokenizers, open_data
from workbench.runs import Run

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def changed(convirt):
    """Return a function that gives the config of the run with other values in its sections."""

    def change(**sections):
        config = Run(convirt.run.folder).config
        for name, values in sections.items():
            config[name].update(values)
        return config

    return change


def test_pairs_are_pictures_and_sentences_of_training_studies(convirt):
    store, manifest = open_data(convirt.run)
    examples = example_pairs(convirt.run.config, count=3, draws=5)
    names = store.studies["study_id"].tolist()
    rows = [names.index(example.study_id) for example in examples]
    assert len(set(rows)) == 3 and set(rows) <= set(manifest.rows("train").tolist())
    for example, row, sentences in zip(examples, rows, sentences_of(store, rows), strict=True):
        np.testing.assert_array_equal(example.stored, store.images[store.view_offsets[row]])
        assert len(example.pairs) == 5
        assert len({pair.picture.tobytes() for pair in example.pairs}) > 1  # another crop each time
        for pair in example.pairs:
            assert pair.text == pair.written and pair.text in sentences and not pair.mirrored
            assert pair.picture.shape == (32, 32)
            view = np.asarray(store.images[pair.view_row])
            windows = np.lib.stride_tricks.sliding_window_view(view, (32, 32)).reshape(-1, 32 * 32)
            shown = pair.picture.ravel().astype(int)
            contrast = [np.corrcoef(window, shown)[0, 1] for window in windows]
            assert max(contrast) > 0.99  # brightness and contrast may differ


def test_mirrored_pairs_have_their_sides_exchanged(convirt):
    store, _ = open_data(convirt.run)
    (example,) = mirrored_pairs(convirt.run.config, draws=3)
    assert example.pairs and all(pair.mirrored for pair in example.pairs)
    assert len({pair.text for pair in example.pairs}) == len(example.pairs)
    for pair in example.pairs:
        assert pair.text == swap_laterality(pair.written) != pair.written
    pair = example.pairs[0]
    flipped = np.asarray(store.images[pair.view_row])[:, ::-1]
    windows = np.lib.stride_tricks.sliding_window_view(flipped, (32, 32)).reshape(-1, 32 * 32)
    assert max(np.corrcoef(window, pair.picture.ravel())[0, 1] for window in windows) > 0.99


def test_the_papers_own_way_leaves_the_text_alone(changed):
    (example,) = mirrored_pairs(changed(objective={"swap_sides": False}), draws=2)
    assert all(pair.mirrored and pair.text == pair.written for pair in example.pairs)


def test_whole_reports_are_shown_where_those_are_read(convirt, changed):
    store, _ = open_data(convirt.run)
    (example,) = example_pairs(changed(objective={"text_unit": "report"}), count=1)
    assert {pair.text for pair in example.pairs} <= set(store.texts)


def test_mirrored_pairs_of_the_training_itself_are_shown_as_such(changed):
    examples = example_pairs(changed(augment={"flip": 0.5}), count=4, draws=6)
    pairs = [pair for example in examples for pair in example.pairs]
    assert {pair.mirrored for pair in pairs} == {False, True}
    for pair in pairs:
        assert pair.text == (swap_laterality(pair.written) if pair.mirrored else pair.written)


def test_a_batch_is_compared_with_the_weights_before_and_after(convirt):
    batch = batch_similarity(convirt.run)
    store, manifest = open_data(convirt.run)
    names = store.studies["study_id"].tolist()
    rows = [names.index(name) for name in batch.study_ids]
    assert len(rows) == 16 and set(rows) <= set(manifest.rows("validation").tolist())
    for text, sentences in zip(batch.texts, sentences_of(store, rows), strict=True):
        assert text in sentences
    assert list(batch.by_weights) == ["initial", "trained"]
    pixels = torch.from_numpy(np.asarray(store.images)[store.view_offsets[rows]])[:, None]
    objective = load_objective(convirt.run)
    tokens = torch.from_numpy(load_tokenizers(convirt.run)["text"].encode(batch.texts, 24)).long()
    with torch.no_grad():
        texts = objective.embed_texts(tokens, tokens != 0)
        expected = texts @ objective.embed_images(normalize(center_crop(pixels, 32))).T
    np.testing.assert_allclose(batch.by_weights["trained"], expected.numpy(), atol=1e-5)
    assert np.abs(batch.by_weights["initial"] - batch.by_weights["trained"]).max() > 0.01


def test_neighbours_in_a_batch_share_a_label(convirt):
    batch = batch_similarity(convirt.run)
    first = [labels.split(", ")[0] for labels in batch.labels]
    assert (
        len([one for one, other in zip(first, first[1:], strict=False) if one != other])
        == len(set(first)) - 1
    )
    assert first[-1] == "none positive" or "none positive" not in first


def test_the_rank_is_the_mean_over_all_whole_batches(convirt):
    batch = batch_similarity(convirt.run)
    _, manifest = open_data(convirt.run)
    assert batch.num_texts == len(manifest.rows("validation")) // 16 * 16
    if batch.num_texts == 16:
        for weights, values in batch.by_weights.items():
            own = values.diagonal()
            ranks = [
                1 + sum(row > own[place]) + (sum(row == own[place]) - 1) / 2
                for place, row in enumerate(values)
            ]
            assert batch.ranks[weights] == pytest.approx(np.mean(ranks))


def test_an_objective_without_texts_has_nothing_to_compare(convirt, monkeypatch):
    from workbench import batch_similarity as module

    class Blind(module.Opened):
        def __init__(self, *arguments, **settings):
            super().__init__(*arguments, **settings)
            self.pairs = None

    monkeypatch.setattr(module, "Opened", Blind)
    with pytest.raises(ValueError, match="of convirt embeds no texts"):
        batch_similarity(convirt.run)


def test_examples_are_plain_values(convirt):
    (example,) = example_pairs(convirt.run.config, count=1, draws=1)
    assert set(dataclasses.asdict(example)) == {"study_id", "stored", "pairs"}
    assert example.stored.dtype == example.pairs[0].picture.dtype == np.uint8


def test_an_unknown_kind_of_text_is_refused_before_there_is_a_run(convirt):
    with pytest.raises(ValueError, match="text_unit 'page' is not one of report, sentence, impression"):
        plan(convirt.made.recipe, ["objective.text_unit=page"])
