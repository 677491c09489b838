"""Retrieval: embeddings that are the labels find everything, random ones find what chance finds."""

import dataclasses

import numpy as np
import pytest
from PIL import Image
from tiny_pairs import SIZE, all_sentences, frontal_loader, make_pairs, make_store

from lib.data.retrieval_lists import Pictures, RetrievalLists
from lib.data.text_units import TEXT_UNITS, texts_of
from lib.protocols.features import Features, extract_features
from lib.protocols.listed_pictures import listed_features
from lib.protocols.retrieval import (
    RetrievalConfig,
    choose_lists,
    image_image,
    study_report,
    text_image,
    values_of,
)

CONFIG = RetrievalConfig(num_queries=5, num_candidates=20, ks=[1, 5, 20, 100])


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return make_store(tmp_path_factory.mktemp("retrieval") / "tiny")


@pytest.fixture(scope="module")
def pairs(store):
    return make_pairs(store)


@pytest.fixture(scope="module")
def features(store, pairs) -> Features:
    return extract_features(pairs.objective.encoder, frontal_loader(store, np.arange(len(store))))


@pytest.fixture(scope="module")
def lists(store) -> RetrievalLists:
    return choose_lists(store, np.arange(len(store)), CONFIG)


def random_features(store) -> Features:
    values = np.random.default_rng(3).standard_normal((len(store), 8)).astype(np.float32)
    return Features(np.arange(len(store)), np.arange(len(store)), values)


def test_lists_hold_studies_positive_for_one_label_of_the_store(store, lists):
    assert lists.classes == ("opacity", "device")  # of "rare" and "unknown" there are too few
    for pictures in (lists.queries, lists.candidates):
        positive = store.labels[pictures.items] == 1
        assert (positive.sum(1) == 1).all()
        assert (positive.argmax(1) == pictures.category).all()
    assert not lists.same_patient.any()
    drawn = [*lists.queries.patients, *lists.candidates.patients]
    assert len(set(drawn)) == len(drawn)


def test_features_that_are_the_labels_find_images_of_the_same_class(lists, features):
    report = image_image(
        lists, values_of(lists.queries, features), values_of(lists.candidates, features), CONFIG
    )
    assert report["precision"] == {str(k): {"estimate": 1.0, "low": 1.0, "high": 1.0} for k in (1, 5, 20)}
    assert report["chance"] == 0.5 and (report["num_queries"], report["num_candidates"]) == (10, 40)
    assert report["by_class"]["device"] == {"1": 1.0, "5": 1.0, "20": 1.0}
    assert report["ks_left_out"] == [100]  # of 20 relevant candidates no ranking has 100
    assert report["same_patient_excluded"] and report["num_same_patient_pairs"] == 0
    assert report["interval"]["unit"] == "patient of the query"


def test_random_features_find_what_chance_finds(store, lists):
    features = random_features(store)
    report = image_image(
        lists, values_of(lists.queries, features), values_of(lists.candidates, features), CONFIG
    )
    about = report["precision"]["20"]
    assert about["low"] <= report["chance"] <= about["high"] and about["high"] < 0.8


def test_equal_features_of_all_images_give_exactly_chance(lists):
    queries, candidates = np.ones((10, 3)), np.ones((40, 3))
    report = image_image(lists, queries, candidates, CONFIG)
    assert {about["estimate"] for about in report["precision"].values()} == {0.5}


def test_the_own_patient_is_left_out_when_asked(store, features):
    shared = dataclasses.replace(CONFIG, share_patients=True)
    lists = choose_lists(store, np.arange(len(store)), shared)
    # Every query gets one candidate of its own patient and class.
    patients = lists.candidates.patients.copy()
    patients[[0, 20]] = lists.queries.patients[[0, 5]]
    lists = dataclasses.replace(lists, candidates=dataclasses.replace(lists.candidates, patients=patients))
    values = [values_of(pictures, features) for pictures in (lists.queries, lists.candidates)]
    num_pairs = int(lists.same_patient.sum())
    assert num_pairs >= 2
    without = image_image(lists, *values, dataclasses.replace(shared, ks=[10]))
    including = image_image(lists, *values, dataclasses.replace(shared, ks=[10], exclude_same_patient=False))
    assert without["num_same_patient_pairs"] == including["num_same_patient_pairs"] == num_pairs
    assert without["chance"] < including["chance"] == 0.5
    assert without["same_patient_excluded"] and not including["same_patient_excluded"]


def test_sentences_find_images_of_their_class(lists, features, pairs):
    texts, category = ["There is an opacity on the left.", "Opacity.", "A device is in place."], [0, 0, 1]
    candidates = values_of(lists.candidates, features)
    similarity = pairs.similarity(pairs.embed_texts(texts), candidates)
    report = text_image(lists, category, similarity, CONFIG)
    assert report["precision"]["20"]["estimate"] == 1.0 and report["chance"] == 0.5
    assert report["num_queries"] == 3 and report["interval"]["unit"] == "sentence"
    swapped = text_image(lists, [1, 1, 0], similarity, CONFIG)
    assert swapped["precision"]["20"]["estimate"] == 0.0


@pytest.mark.parametrize("unit", TEXT_UNITS)
def test_studies_and_reports_find_each_other_duplicates_counted_as_hits(store, features, pairs, unit):
    rows = np.arange(60)
    first = features.of(rows).first_views()
    assert first.study_rows.tolist() == rows.tolist()
    sections = store.studies.iloc[rows]
    read = texts_of(sections["findings"], sections["impression"], unit)
    embeddings, texts = pairs.embed_reports(read), [" ".join(parts) for parts in read]
    patients = store.studies["patient_id"].to_numpy()[rows]
    report = study_report(pairs.similarity(embeddings, first.values), texts, patients, CONFIG)
    assert report["num_pairs"] == 60 and report["num_different_reports"] == len(set(texts)) < 12
    for direction in ("study_to_report", "report_to_study"):
        chance, recall = report[direction]["chance"], report[direction]["recall"]
        assert set(recall) == {"1", "5", "10"} and chance["1"] < chance["10"] < 1
    # A study without the rare finding has a report that does not speak of it: nothing fits it better.
    assert report["report_to_study"]["recall"]["1"]["estimate"] > 0.9
    random = np.random.default_rng(0).standard_normal((60, 60))
    about = study_report(random, texts, patients, CONFIG)["study_to_report"]
    for k in ("1", "5", "10"):
        assert about["recall"][k]["low"] <= about["chance"][k] <= about["recall"][k]["high"]


def test_reports_that_differ_in_case_and_space_are_one():
    similarity = np.array([[0.0, 1.0], [1.0, 0.0]])
    config = RetrievalConfig(recall_ks=[1, 5])
    same = study_report(similarity, ["All  clear.", "all clear. "], ["a", "b"], config)
    other = study_report(similarity, ["All clear.", "A device."], ["a", "b"], config)
    assert same["study_to_report"]["recall"]["1"]["estimate"] == 1.0
    assert other["study_to_report"]["recall"]["1"]["estimate"] == 0.0
    assert same["ks_left_out"] == [5]


def test_rows_of_the_similarity_are_reports():
    similarity = np.array([[0.9, 0.5, 0.1], [0.8, 0.7, 0.2], [0.95, 0.1, 0.3]])
    report = study_report(similarity, ["a", "b", "c"], ["1", "2", "3"], RetrievalConfig(recall_ks=[1]))
    # Report b finds study 0 first, report c too; study 0 finds report c, studies 1 and 2 their own.
    assert report["report_to_study"]["recall"]["1"]["estimate"] == pytest.approx(1 / 3, abs=1e-6)
    assert report["study_to_report"]["recall"]["1"]["estimate"] == pytest.approx(2 / 3, abs=1e-6)


def test_equal_texts_tie_and_are_embedded_once(pairs, store):
    texts = sorted(all_sentences(store))
    assert len(texts) > 3
    twice = pairs.embed_texts(texts + texts)
    np.testing.assert_array_equal(twice[: len(texts)], twice[len(texts) :])
    alone = np.concatenate([pairs.embed_texts([text]) for text in texts])
    np.testing.assert_allclose(twice[: len(texts)], alone, atol=1e-6)  # padding says nothing
    noise = 1 + 1e-7 * np.random.default_rng(0).standard_normal((40, 3)).astype(np.float32)
    assert len(np.unique(pairs.similarity(np.ones((1, 3), np.float32), noise))) == 1


def test_the_mean_of_sentences_keeps_their_length(pairs):
    reports = [["Opacity.", "A device is in place."], ["Opacity.", "Clear."], ["Opacity."]]
    means = pairs.embed_reports(reports)
    np.testing.assert_allclose(means, [[2**-0.5, 2**-0.5, 0], [0, 0, 0], [1, 0, 0]], atol=1e-6)


def test_a_list_that_names_absent_images_is_refused(lists, features):
    queries = lists.queries
    missing = sorted(queries.items[:2].tolist())
    rest = features.of(np.setdiff1d(np.arange(300), missing))
    with pytest.raises(ValueError, match=rf"2 of 10 pictures .*study rows {missing[0]}, {missing[1]}"):
        values_of(queries, rest)
    beyond = Pictures(items=np.array([5000]), category=np.array([0]), patients=np.array(["p"]))
    with pytest.raises(ValueError, match="study rows 5000"):
        values_of(beyond, features)


@pytest.mark.parametrize("number", [{"num_queries": 0}, {"num_candidates": -1}])
def test_nothing_to_look_with_or_among_is_refused(number):
    with pytest.raises(ValueError, match="of each class: at least 1"):
        RetrievalConfig(**number)


def test_too_few_exclusive_positives_are_counted(store):
    with pytest.raises(ValueError, match=r"two classes with 210 studies .*opacity \d+, device \d+"):
        choose_lists(store, np.arange(len(store)), RetrievalConfig())
    with pytest.raises(ValueError, match="Class 'rare' has .* Ask for fewer"):
        choose_lists(store, np.arange(100), dataclasses.replace(CONFIG, classes=["opacity", "rare"]))
    with pytest.raises(ValueError, match="20 relevant candidates, fewer than every k of \\[50\\]"):
        config = dataclasses.replace(CONFIG, ks=[50])
        lists = choose_lists(store, np.arange(len(store)), config)
        image_image(lists, np.ones((10, 2)), np.ones((40, 2)), config)
    with pytest.raises(ValueError, match=r"R@k of 2 pairs: none of k = \[5\] fits"):
        study_report(np.eye(2), ["a", "b"], ["1", "2"], RetrievalConfig(recall_ks=[5]))


def test_pictures_in_files_are_seen_as_in_a_store(store, features, pairs, tmp_path):
    rows = features.view_rows[:5]
    files = [tmp_path / f"{row}.png" for row in rows]
    for row, file in zip(rows, files, strict=True):
        Image.fromarray(np.asarray(store.images[row])).save(file)
    values = listed_features(
        pairs.objective.embed_images, files, canvas_size=36, image_size=SIZE, batch_size=2
    )
    np.testing.assert_array_equal(values, features.values[:5])
    files[3].write_bytes(b"no picture")
    with pytest.raises(ValueError, match=rf"{files[3].name} cannot be read"):
        listed_features(pairs.objective.embed_images, files, canvas_size=36, image_size=SIZE)
