import shutil
from collections import Counter

import numpy as np
import pytest
from tiny_reader import make_study
from tiny_store import make_store

from lib.data.retrieval_lists import CLASSES, find_pictures, make_retrieval_lists, read_chexpert_8x200
from lib.metrics.retrieval import precision_at


@pytest.fixture(scope="module")
def published(shared):
    return shared / "published" / "chexpert_8x200"


@pytest.fixture
def copy(published, tmp_path):
    return shutil.copytree(published, tmp_path / "lists")


def test_published_lists_have_their_counts(published):
    lists = read_chexpert_8x200(published)
    assert lists.classes == CLASSES
    assert (len(lists.candidates), len(lists.queries), len(lists.texts)) == (1600, 80, 40)
    for category, count in ((lists.candidates.category, 200), (lists.queries.category, 10)):
        assert np.bincount(category).tolist() == [count] * 8
    assert np.bincount(lists.text_category).tolist() == [5] * 8
    assert len(set(lists.candidates.patients)) == 1559
    assert lists.candidates.items[0] == "CheXpert-v1.0-small/train/patient21230/study1/view1_frontal.jpg"
    assert lists.candidates.patients[0] == "patient21230"
    assert CLASSES[lists.candidates.category[0]] == "Fracture"
    first = lists.texts.index("An apical pneumothorax is present.")
    assert CLASSES[lists.text_category[first]] == "Pneumothorax"
    assert lists.relevance.sum() == 80 * 200 and lists.text_relevance.sum() == 40 * 200
    # Six queries share a patient with a candidate of their class, a seventh with one of another class.
    assert (lists.same_patient & lists.relevance).any(axis=1).sum() == 6
    assert lists.same_patient.any(axis=1).sum() == 7


def test_a_random_ranking_of_the_published_lists_has_the_chance_of_the_paper(published):
    lists = read_chexpert_8x200(published)
    result = precision_at(np.zeros((80, 1600)), lists.relevance)
    assert result.mean == pytest.approx([0.125] * 4)
    assert list(result.by_class([CLASSES[code] for code in lists.queries.category])) == list(CLASSES)
    excluded = precision_at(np.zeros((80, 1600)), lists.relevance, excluded=lists.same_patient)
    assert excluded.num_excluded.sum() == lists.same_patient.sum() and excluded.mean_chance < 0.125


def test_lists_in_the_folders_of_the_repository_are_found(copy):
    for kind, names in (("image-retrieval", ("candidate", "query")), ("text-retrieval", ("query",))):
        (copy / kind).mkdir()
        for name in names:
            (copy / f"{kind}-{name}.csv").rename(copy / kind / f"{name}.csv")
    assert len(read_chexpert_8x200(copy).candidates) == 1600


@pytest.mark.parametrize("release", ["CheXpert-v1.0-small", "CheXpert-v1.0"])
def test_pictures_are_found_under_the_root_and_missing_ones_named(published, tmp_path, release):
    queries = read_chexpert_8x200(published).queries
    for name in queries.items[:-2]:
        file = tmp_path / release / name.split("/", 1)[1]
        file.parent.mkdir(parents=True)
        file.write_bytes(b"")
    with pytest.raises(FileNotFoundError, match=r"2 of 80 pictures .*for example train/patient\d+/study"):
        find_pictures(queries, tmp_path)
    for name in queries.items[-2:]:
        file = tmp_path / release / name.split("/", 1)[1]
        file.parent.mkdir(parents=True)
        file.write_bytes(b"")
    for root in (tmp_path, tmp_path / release):
        found = find_pictures(queries, root)
        assert [file.relative_to(tmp_path / release).as_posix() for file in found] == [
            name.split("/", 1)[1] for name in queries.items
        ]
    with pytest.raises(FileNotFoundError, match="needs a root folder"):
        find_pictures(queries, None)
    with pytest.raises(FileNotFoundError, match="80 of 80 pictures"):
        (tmp_path / "empty").mkdir()
        find_pictures(queries, tmp_path / "empty")


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("image-retrieval-candidate.csv", ",1.0,0.0\n", ",0.0,0.0\n", "positive for no label"),
        ("image-retrieval-candidate.csv", ",1.0,0.0\n", ",1.0,1.0\n", "for Fracture, Support Devices"),
        ("image-retrieval-candidate.csv", "small/train/patient21230", "p", r"row 1: Path 'CheXpert-v1.0-p"),
        ("image-retrieval-candidate.csv", "patient21230/study1", "patient18110/study1", "stands in it twice"),
        ("image-retrieval-query.csv", "Atelectasis,", "Edema,", "9 rows of 'Atelectasis' instead of 10"),
        ("text-retrieval-query.csv", "Edema,", "Oedema,", "4 rows of 'Edema' instead of 5"),
        ("text-retrieval-query.csv", "Variable,Text", "Variable,Sentence", "no column 'Text'"),
    ],
)
def test_damaged_lists_are_named(copy, file, old, new, message):
    text = (copy / file).read_text()
    assert old in text
    (copy / file).write_text(text.replace(old, new, 1))
    with pytest.raises(ValueError, match=message):
        read_chexpert_8x200(copy)


def test_queries_among_the_candidates_and_missing_lists_are_named(copy):
    candidate = (copy / "image-retrieval-candidate.csv").read_text().splitlines()[1].split(",")[0]
    queries = (copy / "image-retrieval-query.csv").read_text().splitlines(keepends=True)
    row = next(place for place, line in enumerate(queries) if line.startswith("Fracture,"))
    queries[row] = f"Fracture,{candidate}\n"
    (copy / "image-retrieval-query.csv").write_text("".join(queries))
    with pytest.raises(ValueError, match="1 queries are candidates too, for example CheXpert"):
        read_chexpert_8x200(copy)
    (copy / "text-retrieval-query.csv").unlink()
    (copy / "image-retrieval-query.csv").unlink()
    with pytest.raises(FileNotFoundError, match=r"image-retrieval-query\.csv is missing"):
        read_chexpert_8x200(copy)
    with pytest.raises(FileNotFoundError, match="does not exist"):
        read_chexpert_8x200(copy / "nowhere")


NAMES = ("Edema", "Fracture", "Pneumothorax")
VALUES = {
    "Edema": {"Edema": 1.0, "Fracture": 0.0, "Pneumothorax": 0.0},
    "Fracture": {"Edema": 0.0, "Fracture": 1.0},  # not known is not positive
    "both": {"Edema": 1.0, "Fracture": 1.0, "Pneumothorax": 0.0},
    "Edema, Pneumothorax": {"Edema": 1.0, "Pneumothorax": 1.0},
    "none": {name: 0.0 for name in NAMES},
}


@pytest.fixture(scope="module")
def labelled(tmp_path_factory):
    """A store of 30 patients with two studies each, one after the other of each kind of labels."""
    kinds = list(VALUES)
    studies = [
        make_study(
            number, num_views=1, labels=VALUES[kinds[number % 5]], boxes=(), patient_id=f"p{number // 2}"
        )
        for number in range(60)
    ]
    return make_store(tmp_path_factory.mktemp("labelled") / "store", studies=studies, label_names=NAMES)


def kinds_of(store, pictures):
    positive = store.labels[pictures.items] == 1
    return [tuple(np.array(NAMES)[row].tolist()) for row in positive]


def test_lists_of_a_store_are_exclusive_disjoint_and_balanced(labelled):
    lists = make_retrieval_lists(labelled, 2, 5, 0, classes=("Fracture", "Edema"))
    assert lists.classes == ("Fracture", "Edema") and lists.texts == ()
    for pictures, count in ((lists.queries, 2), (lists.candidates, 5)):
        assert pictures.category.tolist() == [0] * count + [1] * count
        found = Counter(kinds_of(labelled, pictures))
        # A label outside the classes does not matter.
        assert found["Fracture",] == count and found["Edema",] + found["Edema", "Pneumothorax"] == count
        assert (pictures.patients == labelled.studies.patient_id.to_numpy(str)[pictures.items]).all()
    assert not set(lists.queries.patients) & set(lists.candidates.patients)
    assert not lists.same_patient.any()
    assert lists.relevance.sum() == 4 * 5
    assert len(set(lists.candidates.items)) == 10


def test_the_draw_is_seeded_and_all_labels_exclude_each_other(labelled):
    def items(seed, **options):
        lists = make_retrieval_lists(labelled, 2, 5, seed, ("Edema", "Fracture"), **options)
        return lists.queries.items.tolist() + lists.candidates.items.tolist()

    assert items(0) == items(0) != items(1)
    rows = np.arange(40)
    assert max(items(0, rows=rows)) < 40
    with pytest.raises(ValueError, match="Class 'Pneumothorax' has 0 studies"):
        make_retrieval_lists(labelled, 1, 1, 0)


def test_patients_may_be_shared_when_asked(labelled):
    # Studies 0 and 1 (Edema, Fracture) are of one patient: then the other's candidates have no other study.
    rows = [0, 1, 10, 11]
    with pytest.raises(ValueError, match=r"Class 'Edema' has 2 studies .*, \d of them left for candidates"):
        for seed in range(20):
            make_retrieval_lists(labelled, 1, 1, seed, ("Edema", "Fracture"), rows=rows)
    lists = make_retrieval_lists(labelled, 1, 1, 0, ("Edema", "Fracture"), rows=rows, share_patients=True)
    assert len(set(lists.queries.items) | set(lists.candidates.items)) == 4


def test_requests_that_cannot_be_met_are_named(labelled):
    with pytest.raises(ValueError, match="Class 'Fracture' has 12 studies that are positive for it alone"):
        make_retrieval_lists(labelled, 2, 50, 0, ("Fracture", "Edema"))
    with pytest.raises(ValueError, match="no label 'Oedema'; it has Edema, Fracture, Pneumothorax"):
        make_retrieval_lists(labelled, 2, 5, 0, ("Oedema", "Edema"))
    with pytest.raises(ValueError, match="At least two different classes"):
        make_retrieval_lists(labelled, 2, 5, 0, ("Edema",))
    with pytest.raises(ValueError, match="0 queries and 5 candidates"):
        make_retrieval_lists(labelled, 0, 5, 0, ("Fracture", "Edema"))
