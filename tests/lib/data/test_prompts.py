"""Prompts: the package's own are whole, and a file with a mistake is refused by name."""

import numpy as np
import pytest

from lib.data.chexpert_labels import CHEXPERT_LABELS
from lib.data.phantom.domain import LABEL_NAMES
from lib.data.prompts import CHEST, read_prompts
from lib.data.readers.nih import LABELS as NIH_LABELS
from lib.data.report_labels import AFFIRMED, DENIED, mentions
from lib.data.retrieval_lists import CLASSES, read_chexpert_8x200

BOTH = "{positive: [There is edema.], negative: [No edema.]}"


def write(folder, text):
    path = folder / "own.yaml"
    path.write_text(text)
    return path


def test_the_package_has_prompts_for_every_label_and_no_other():
    prompts = read_prompts()
    assert set(prompts.by_finding) == {*CHEXPERT_LABELS, *LABEL_NAMES, *NIH_LABELS}
    assert prompts.styles == ("paper", "plain", "report")
    for finding, pairs in prompts.by_finding.items():
        assert {"plain", "report"} <= set(pairs)
        assert ("paper" in pairs) == (finding in CLASSES or finding == "Effusion")
        for pair in pairs.values():
            assert len(set(pair.positive)) == len(pair.positive) and not set(pair.positive) & set(
                pair.negative
            )
    assert prompts.of("Effusion") == prompts.of("Pleural Effusion")
    assert all(len(prompts.of(name)["paper"].positive) == 5 for name in CLASSES)


def test_sentences_say_what_they_should_by_the_rules_of_report_labels():
    """Where the rules find the label in a sentence at all, they find it on the right side."""
    prompts, found = read_prompts(), 0
    for finding in set(CHEXPERT_LABELS) - {"No Finding"}:
        for pair in prompts.of(finding).values():
            for texts, wrong in ((pair.positive, DENIED), (pair.negative, AFFIRMED)):
                said = [mentions(text).get(finding) for text in texts]
                assert wrong not in said, (finding, texts, said)
                found += sum(status is not None for status in said)
    assert found > 120


def test_sentences_of_the_paper_style_are_our_own(shared):
    published = {text.lower() for text in read_chexpert_8x200(shared / "published" / "chexpert_8x200").texts}
    ours = {text.lower() for name in CLASSES for text in read_prompts().of(name)["paper"].positive}
    assert not ours & published


def test_queries_are_the_positive_sentences_of_the_styles_asked_for():
    prompts = read_prompts()
    texts, category = prompts.queries(["Edema", "Nodule", "Fracture"], ["paper"])
    assert np.bincount(category, minlength=3).tolist() == [5, 0, 5]
    assert texts[:5] == list(prompts.of("Edema")["paper"].positive)
    everything, category = prompts.queries(["Edema"], prompts.styles)
    assert len(everything) == len(set(everything)) == len(category) > 9


def test_a_file_of_ones_own_may_speak_of_the_labels_of_a_store(tmp_path):
    path = write(tmp_path, f"COVID-19:\n  mine: {BOTH}\nEdema:\n  mine: {BOTH}\n")
    prompts = read_prompts(path, known=["COVID-19"])
    assert prompts.of("COVID-19")["mine"].negative == ("No edema.",) and prompts.styles == ("mine",)
    with pytest.raises(ValueError, match="own.yaml: unknown finding 'COVID-19'.*Known: No Finding"):
        read_prompts(path)
    with pytest.raises(ValueError, match="own.yaml has no prompts for 'Mass'.*It has COVID-19, Edema"):
        prompts.of("Mass")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            f"Cardiomegally:\n  mine: {BOTH}",
            "Did you mean 'Cardiomegaly'.*Known: No Finding",
        ),
        ("Edema:\n  mine: {positive: [Edema.]}", "Edema, style 'mine': negative sentences are missing"),
        (
            "Edema:\n  mine: {positive: [], negative: [No.]}",
            "style 'mine': positive sentences are missing",
        ),
        (
            "Edema:\n  mine: {positive: Edema., negative: [No.]}",
            "sentences are missing; give a list",
        ),
        (
            "Edema:\n  mine: {positive: [''], negative: [N.]}",
            "'' among the positive sentences",
        ),
        ("Edema:\n  mine: {positive: [3], negative: [N.]}", "3 among the positive sentences"),
        ("Edema:\n  mine: {positive: [E.], negatives: [N.]}", "needs the lists positive and negative"),
        ("Edema:\n  mine: [E.]", "needs the lists positive and negative"),
        ("Edema: {}", "Edema must hold styles"),
        ("- Edema", "must hold findings with their styles"),
        ("", "must hold findings with their styles"),
        ("Edema: [", "own.yaml is no YAML"),
    ],
)
def test_mistakes_are_named_with_file_and_place(tmp_path, text, message):
    with pytest.raises(ValueError, match=message) as error:
        read_prompts(write(tmp_path, text))
    assert "own.yaml" in str(error.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=f"nothing.yaml.*{CHEST.name}"):
        read_prompts(tmp_path / "nothing.yaml")
