"""Sentences of prompts look for their own class, also where other classes have none."""

import numpy as np
import pytest
from tiny_pairs import frontal_loader, make_pairs, make_store, read_tiny_prompts

from lib.data.prompts import read_prompts
from lib.protocols.prompt_retrieval import retrieve_by_prompts
from lib.protocols.retrieval import RetrievalConfig, choose_lists, values_of

CONFIG = RetrievalConfig(num_queries=5, num_candidates=20, ks=[10])


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    """Return a function that judges the sentences of prompts on the tiny store."""
    folder = tmp_path_factory.mktemp("prompt_retrieval")
    store = make_store(folder / "tiny")
    pairs, rows = make_pairs(store), np.arange(len(store))
    lists = choose_lists(store, rows, CONFIG)
    candidates = values_of(lists.candidates, pairs.embed_images(frontal_loader(store, rows)))
    return lambda prompts: retrieve_by_prompts(pairs, lists, candidates, prompts, CONFIG)


def test_all_sentences_together_and_each_style_by_itself(judged, tmp_path):
    report = judged(read_tiny_prompts(tmp_path))
    assert report["all"]["num_queries"] == 3 and report["all"]["precision"]["10"]["estimate"] == 1.0
    assert {style: about["num_queries"] for style, about in report["styles"].items()} == {
        "plain": 2,
        "short": 1,
    }


def test_a_class_without_prompts_is_a_candidate_and_never_asked_for(judged, tmp_path):
    file = tmp_path / "device.yaml"
    file.write_text("device:\n  plain: {positive: [A device is in place.], negative: [No device is seen.]}\n")
    report = judged(read_prompts(file, known=["device"]))
    assert report["all"]["by_class"] == {"device": {"10": 1.0}}
    assert report["all"]["num_candidates"] == 40 and report["all"]["chance"] == 0.5


def test_prompts_of_other_findings_ask_for_nothing(judged):
    assert judged(read_prompts()) is None
