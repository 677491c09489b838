"""Rows of pictures: what the loader gives, what is distorted, what is given back and how far it is off."""

import re

import numpy as np
import pytest
import torch

from lib.data.augment import denormalize
from workbench.baselines.pictures import number_of, open_loader
from workbench.baselines.restoring import SEED, distorted, restored, swapped
from workbench.baselines.words import restored_words, visual_words
from workbench.reopen import load_objective, open_data
from workbench.runs import Run
from workbench.words import WORDS, read_words, word_crops

pytestmark = pytest.mark.usefixtures("one_thread")


def error_of(tile):
    return float(re.search(r"error (\d\.\d{3})$", tile.caption).group(1))


def test_swapped_patches_are_shown_beside_the_picture(trained):
    (rows,) = swapped(trained("context_restoration"), 3)
    assert len(rows.rows) == 3 and len(rows.heads) == 3
    for plain, marked, seen in rows.rows:
        np.testing.assert_array_equal(plain.picture, marked.picture)
        assert len(marked.boxes) == 2 * 3 and not plain.boxes
        inside = np.zeros((32, 32), bool)
        for box in marked.boxes:
            inside[box.top : box.top + box.height, box.left : box.left + box.width] = True
        changed = plain.picture != seen.picture
        assert changed.any() and not changed[~inside].any()


def test_each_distortion_stands_by_itself_with_its_share(trained):
    alone, drawn = distorted(trained("model_genesis"), 3)
    (tiles,) = alone.rows
    assert [tile.caption for tile in tiles[1:]] == [
        *("50 % of the pictures", "45 % of the pictures", "45 % of the pictures"),
        *("17.1 % of the pictures", "72 % of the pictures"),
    ]
    plain, shuffled, bent, reversed_, filled, around = (tile.picture.astype(int) for tile in tiles)
    assert (plain != shuffled).any()
    ranks = [np.corrcoef(plain.ravel(), bend.ravel())[0, 1] for bend in (bent, reversed_)]
    assert ranks[0] > 0 > ranks[1]
    np.testing.assert_array_equal(plain[:3], filled[:3])  # boxes keep a margin
    assert (plain[:3] != around[:3]).mean() > 0.9
    assert [len(row) for row in drawn.rows] == [4, 2]  # two pictures a row
    assert "3 of" in drawn.note


def test_pictures_are_restored_by_both_weights_and_their_errors_are_right(trained):
    run = trained("model_genesis")
    (rows,) = restored(run, 3)
    (batch,) = open_loader(run.config, "validation", 256).epoch(0)
    shown = load_objective(run).show(batch.images[:, 0], SEED)
    original, seen, result = (denormalize(one)[:, 0].numpy() for one in shown)
    for place, tiles in enumerate(rows.rows):
        for tile, expected in zip((tiles[0], tiles[1], tiles[3]), (original, seen, result), strict=True):
            np.testing.assert_allclose(tile.picture / 255, expected[place].clip(0, 1), atol=0.5 / 255 + 1e-6)
        for tile, values in ((tiles[1], seen), (tiles[3], result)):
            off = np.sqrt(((values[place] - original[place]) ** 2).mean())
            assert error_of(tile) == pytest.approx(off, abs=6e-4)
        assert tiles[2].picture.tobytes() != tiles[3].picture.tobytes()
    mean = np.sqrt(((result - original) ** 2).mean())
    assert float(re.search(r"after training (\d\.\d{3})$", rows.note).group(1)) == pytest.approx(
        mean, abs=6e-4
    )
    assert f"3 of {number_of(run.config, 'validation')} validation studies" in rows.note
    assert f"error of {len(batch)} (" in rows.note


def test_validation_pictures_are_not_varied(trained):
    run = trained("context_restoration")
    store, manifest = open_data(run)
    views = np.isin(store.views["study_row"], manifest.rows("validation"))
    middles = {np.asarray(store.images[row])[2:34, 2:34].tobytes() for row in views.nonzero()[0]}
    (rows,) = restored(run, 3)
    assert all(tiles[0].picture.tobytes() in middles for tiles in rows.rows)


def test_words_are_crops_of_one_place_and_the_place_is_marked(trained):
    run = trained("transvw")
    (rows,) = visual_words(run, 2)
    words, (store, _) = read_words(run)["train"], open_data(run)
    crops = word_crops(run, num_words=2, num_members=6)
    for word, (place, *members) in enumerate(rows.rows):
        np.testing.assert_array_equal(place.picture, store.images[words.view_rows[word, 0]])
        (box,) = place.boxes
        assert (box.top, box.left, box.width, box.height) == (*words.boxes[word, 0, 0], box.height)
        np.testing.assert_array_equal(np.stack([tile.picture for tile in members]), crops[word])
    assert "2 of 3 words, 6 of 10 training patients" in rows.note


def test_words_that_are_not_there_are_waited_for(trained, monkeypatch):
    run = trained("transvw")
    shown, place = [], run.folder / WORDS
    content = place.read_bytes()
    place.unlink()
    monkeypatch.setattr(Run, "state", "running")
    monkeypatch.setattr(
        "workbench.baselines.words.time.sleep", lambda _: shown.append(place.write_bytes(content))
    )
    visual_words(run, 1)
    assert len(shown) == 1
    place.unlink()
    monkeypatch.setattr("workbench.baselines.words.PATIENCE", -1.0)
    with pytest.raises(FileNotFoundError, match="has no visual_words.npz"):
        visual_words(run, 1)
    place.write_bytes(content)


def test_the_share_of_words_that_are_told_is_that_of_the_classifier(trained):
    run = trained("transvw")
    (rows,) = restored_words(run, 2)
    crops = word_crops(run, num_words=3, num_members=4, part="validation")
    images = (torch.from_numpy(np.concatenate(list(crops.swapaxes(0, 1))))[:, None] / 255 - 0.5) / 0.25
    objective = load_objective(run)
    with torch.no_grad():
        seen = objective.distort(images, torch.Generator().manual_seed(SEED)).distorted
        told = objective.classifier(objective.encoder(seen).pooled).argmax(1)
    share = (told == torch.arange(3).repeat(4)).float().mean()
    assert f"{share:.1%} after, 33.3% by chance" in rows.note
    assert "2 of 12 crops of validation patients" in rows.note
