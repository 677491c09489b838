"""Queries and candidates of retrieval by category: the CheXpert 8x200 lists, and the like of any store.

The lists of the ConVIRT paper (appendix C and D) hold 8 categories: 200 candidate pictures, 10 query pictures
and 5 query sentences each. Every picture is positive for its category and for no other label. Six queries
share a patient with a candidate of their category, so rankings should leave out the pictures of the query's
own patient; `same_patient` says which they are.

Letters: `Q` queries, `N` candidates.
"""

import dataclasses
from collections import Counter
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import numpy as np

from lib.data.chexpert_labels import CHEXPERT_LABELS
from lib.data.readers.official import find_file, find_root, is_outside
from lib.data.readers.tables import numbers, read_table
from lib.data.store import Store

NAME = "CheXpert 8x200"
CLASSES = (
    "Atelectasis",
    "Cardiomegaly",
    "Edema",
    "Fracture",
    "No Finding",
    "Pleural Effusion",
    "Pneumonia",
    "Pneumothorax",
)
NUM_CANDIDATES, NUM_QUERIES, NUM_TEXTS = 200, 10, 5  # of each class
CANDIDATES = ("image-retrieval-candidate.csv", "image-retrieval/candidate.csv")
QUERIES = ("image-retrieval-query.csv", "image-retrieval/query.csv")
TEXTS = ("text-retrieval-query.csv", "text-retrieval/query.csv")
RELEASES = ("CheXpert-v1.0-small", "CheXpert-v1.0")
"""Folder of the pictures, inside the root or the root itself; the lists name the first."""

_LAYOUT = f"Needed are {CANDIDATES[0]}, {QUERIES[0]} and {TEXTS[0]}, as in the repository yuhaozhang/convirt"
_ROOT_LAYOUT = f"Give the folder {RELEASES[0]} or {RELEASES[1]}, or the one that holds it"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Pictures:
    """Pictures of known categories.

    Attributes:
        items: paths as the lists name them, or study rows of a store.
        category: index into the classes, int64.
        patients: patient of each, str.
    """

    items: np.ndarray
    category: np.ndarray
    patients: np.ndarray

    def __len__(self) -> int:
        """Return the number of pictures."""
        return len(self.items)


@dataclasses.dataclass(frozen=True, kw_only=True)
class RetrievalLists:
    """What is looked for, and among what.

    Attributes:
        classes: names of the categories.
        queries: Q pictures.
        candidates: N pictures.
        texts: query sentences; none for the lists of a store.
        text_category: index of each sentence into the classes, int64.
    """

    classes: tuple[str, ...]
    queries: Pictures
    candidates: Pictures
    texts: tuple[str, ...] = ()
    text_category: np.ndarray = dataclasses.field(default_factory=lambda: np.zeros(0, np.int64))

    @property
    def relevance(self) -> np.ndarray:
        """Whether a candidate is of the category of a query picture, bool `[Q, N]`."""
        return self.queries.category[:, None] == self.candidates.category

    @property
    def text_relevance(self) -> np.ndarray:
        """Whether a candidate is of the category of a query sentence, bool `[sentences, N]`."""
        return self.text_category[:, None] == self.candidates.category

    @property
    def same_patient(self) -> np.ndarray:
        """Whether a candidate is of the patient of a query picture, bool `[Q, N]`."""
        return self.queries.patients[:, None] == self.candidates.patients


def read_chexpert_8x200(folder: Path | str) -> RetrievalLists:
    """Read the three published lists and check that they are whole.

    Args:
        folder: of the lists.

    Raises:
        FileNotFoundError: a list is missing.
        ValueError: a class has another number of rows, a candidate is positive for none or several labels, a
            picture stands twice, or a path is not of the official shape; names them.
    """
    folder = find_root(Path(folder), NAME, _LAYOUT)
    path = find_file(folder, CANDIDATES, NAME, _LAYOUT)
    table = read_table(path, ("Path", *CHEXPERT_LABELS), NAME)
    labels = numbers(table, CHEXPERT_LABELS, path, NAME).to_numpy()
    wrong = np.flatnonzero((labels == 1).sum(axis=1) != 1)
    if wrong.size:
        found = [name for name, value in zip(CHEXPERT_LABELS, labels[wrong[0]], strict=True) if value == 1]
        raise ValueError(
            f"{NAME} table {path}, row {wrong[0] + 1}: positive for {', '.join(found) or 'no label'}; every "
            "candidate is positive for exactly one. Download it again."
        )
    names = [CHEXPERT_LABELS[column] for column in (labels == 1).argmax(axis=1)]
    candidates = _pictures(table["Path"], names, NUM_CANDIDATES, path)
    path = find_file(folder, QUERIES, NAME, _LAYOUT)
    table = read_table(path, ("Variable", "Path"), NAME)
    queries = _pictures(table["Path"], table["Variable"], NUM_QUERIES, path)
    if both := set(queries.items.tolist()) & set(candidates.items.tolist()):
        raise ValueError(f"{NAME}: {len(both)} queries are candidates too, for example {sorted(both)[0]}.")
    path = find_file(folder, TEXTS, NAME, _LAYOUT)
    table = read_table(path, ("Variable", "Text"), NAME)
    return RetrievalLists(
        classes=CLASSES,
        queries=queries,
        candidates=candidates,
        texts=tuple(table["Text"].str.strip()),
        text_category=_categories(table["Variable"], NUM_TEXTS, path),
    )


def find_pictures(pictures: Pictures, root: Path | str | None) -> list[Path]:
    """Return the files of listed pictures under a person's copy of CheXpert.

    Args:
        pictures: queries or candidates of `read_chexpert_8x200`.
        root: `CheXpert-v1.0-small`, `CheXpert-v1.0`, or the folder that holds one of them.

    Raises:
        FileNotFoundError: the root or some of the pictures are missing; says how many and names some.
    """
    root = find_root(None if root is None else Path(root), "CheXpert", _ROOT_LAYOUT)
    bases = [base for base in (root, *(root / name for name in RELEASES)) if (base / "train").is_dir()]
    inside = [name.split("/", 1)[1] for name in pictures.items.tolist()]  # without the release
    found = [next((base / name for base in bases if (base / name).is_file()), None) for name in inside]
    missing = [name for name, file in zip(inside, found, strict=True) if file is None]
    if missing:
        raise FileNotFoundError(
            f"{len(missing)} of {len(inside)} pictures of {NAME} are not under {root}, for example "
            f"{', '.join(missing[:3])}. {_ROOT_LAYOUT}."
        )
    return found


def make_retrieval_lists(
    store: Store,
    num_queries: int,
    num_candidates: int,
    seed: int,
    classes: Sequence[str] | None = None,
    *,
    rows: Sequence[int] | np.ndarray | None = None,
    share_patients: bool = False,
) -> RetrievalLists:
    """Draw lists of the same construction from the studies of a labelled store.

    A study stands for a class when it is positive for it and for no other of the classes; labels that are not
    known count as not positive. The published lists exclude over all fourteen labels: give all of them, or
    only those of which no other label matters.

    Args:
        store: an opened store with labels.
        num_queries: queries of each class.
        num_candidates: candidates of each class.
        seed: of the draw.
        classes: names among the labels; None takes all labels of the store.
        rows: study rows to draw from, such as those of the test split; None takes all.
        share_patients: whether a patient may have studies among the queries and among the candidates.

    Returns:
        Lists whose items are study rows, by class.

    Raises:
        ValueError: an unknown class, fewer than two classes, counts below 1, or a class with too few studies;
            names it.
    """
    classes = tuple(store.label_names if classes is None else classes)
    _check_request(classes, store, num_queries, num_candidates)
    rows = np.arange(len(store)) if rows is None else np.unique(np.asarray(rows, np.int64))
    positive = store.labels[rows][:, [store.label_names.index(name) for name in classes]] == 1
    exclusive = positive & (positive.sum(axis=1, keepdims=True) == 1)  # [rows, classes]
    patients = store.studies["patient_id"].to_numpy(str)
    random = np.random.default_rng(seed)
    pools = [random.permutation(rows[exclusive[:, column]]) for column in range(len(classes))]
    # Drawn in this order, every study of one patient stays on one side.
    queries = [pool[:num_queries] for pool in pools]
    asked = set() if share_patients else set(patients[np.concatenate(queries)].tolist())
    candidates = []
    for name, pool, chosen in zip(classes, pools, queries, strict=True):
        rest = np.array([row for row in pool[num_queries:] if patients[row] not in asked], np.int64)
        if len(chosen) < num_queries or len(rest) < num_candidates:
            reason = "" if share_patients else f", {len(rest)} of them left for candidates of other patients"
            raise ValueError(
                f"Class {name!r} has {len(pool)} studies that are positive for it alone{reason}; "
                f"{num_queries} queries and {num_candidates} candidates are wanted. Ask for fewer, or leave "
                "the class out."
            )
        candidates.append(rest[:num_candidates])
    return RetrievalLists(
        classes=classes,
        queries=_of_store(queries, patients),
        candidates=_of_store(candidates, patients),
    )


def _check_request(classes: tuple[str, ...], store: Store, num_queries: int, num_candidates: int) -> None:
    for name in classes:
        if name not in store.label_names:
            raise ValueError(f"{store.path} has no label {name!r}; it has {', '.join(store.label_names)}.")
    if len(set(classes)) != len(classes) or len(classes) < 2:
        raise ValueError(f"At least two different classes are needed; found {list(classes)}.")
    if min(num_queries, num_candidates) < 1:
        raise ValueError(f"{num_queries} queries and {num_candidates} candidates of each class: at least 1.")


def _of_store(rows: list[np.ndarray], patients: np.ndarray) -> Pictures:
    items = np.concatenate(rows)
    category = np.repeat(np.arange(len(rows)), [len(part) for part in rows])
    return Pictures(items=items, category=category, patients=patients[items])


def _pictures(paths: Sequence[str], names: Sequence[str], count: int, path: Path) -> Pictures:
    items = [name.strip() for name in paths]
    patients = []
    for row, name in enumerate(items, start=1):
        parts = PurePosixPath(name).parts
        if is_outside(name) or len(parts) != 5 or not parts[2].startswith("patient"):
            raise ValueError(
                f"{NAME} table {path}, row {row}: Path {name!r} is not of the official shape "
                f"{RELEASES[0]}/train/patient00001/study1/view1_frontal.jpg. Download it again."
            )
        patients.append(parts[2])
    if len(set(items)) < len(items):
        twice = next(name for name, times in Counter(items).items() if times > 1)
        raise ValueError(f"{NAME} table {path}: {twice} stands in it twice. Download it again.")
    return Pictures(
        items=np.array(items), category=_categories(names, count, path), patients=np.array(patients)
    )


def _categories(names: Sequence[str], count: int, path: Path) -> np.ndarray:
    """Return the index of each class name, after a check that every class has its number of rows."""
    counted = Counter(names)
    for name in (*CLASSES, *counted):
        expected = count if name in CLASSES else 0
        if counted[name] != expected:
            raise ValueError(
                f"{NAME} table {path} has {counted[name]} rows of {name!r} instead of {expected}. "
                "Download it again."
            )
    return np.array([CLASSES.index(name) for name in names], np.int64)
