"""How well something can be read from features by a linear layer: a finding, or what no finding should need.

Letters: `N` pictures, `D` width of a feature, `K` classes.
"""

from typing import NamedTuple

import numpy as np

from lib.embedding.project import reduce
from lib.metrics.statistics import bootstrap_auroc

COMPONENTS = 128
"""Principal components at most that the layer sees: wide features of few pictures are learnt by heart."""
STRENGTH = 0.1
"""Inverse of the penalty on the squared weights, for components of deviation 1."""
FEWEST = 10
"""Patients that a class must have; rarer ones are left out."""


class Probe(NamedTuple):
    """What a linear layer reads.

    Attributes:
        estimate: AUROC, of more than two classes the mean of each against the others; 0.5 is guessing.
        low: lower end of its 95 % interval.
        high: upper end.
        classes: that were told apart.
        num_cases: pictures that were judged.
        num_patients: whose these are.
    """

    estimate: float
    low: float
    high: float
    classes: tuple[str, ...]
    num_cases: int
    num_patients: int


def read_off(
    values: np.ndarray,
    classes: np.ndarray,
    patients: np.ndarray,
    *,
    seed: int = 0,
    replicates: int = 1000,
) -> Probe:
    """Fit a logistic regression on one half of the patients and judge it on the other.

    No patient is in both, so that nothing can be read off by recognising people. Cross-fitting would judge
    all of them, but where there is little to read its estimates vary half again as much as their bootstrap
    says, for each fold's layer has learnt from the others' cases. The interval resamples judged patients.

    Args:
        values: features `[N, D]`.
        classes: str `[N]`, "" where not known.
        patients: of the pictures `[N]`.
        seed: of the halves and the resampling.
        replicates: resamples of the bootstrap.

    Raises:
        ValueError: fewer than two classes have enough patients.
    """
    from sklearn.linear_model import LogisticRegression

    names = [
        str(name)
        for name in np.unique(classes)
        if name and len(np.unique(patients[classes == name])) >= FEWEST
    ]
    if len(names) < 2:
        had = f"only {names[0]!r} has" if names else "none has"
        raise ValueError(f"Two classes with {FEWEST} patients each are needed; {had}.")
    chosen = np.isin(classes, names)
    codes = np.searchsorted(names, classes[chosen])
    people = patients[chosen]
    # The axes take no class, so all pictures may set them.
    seen = reduce(values[chosen], COMPONENTS, seed)
    seen = seen / (seen.std(axis=0) + 1e-6)
    learnt = _half(codes, people, seed)
    layer = LogisticRegression(C=STRENGTH, max_iter=1000).fit(seen[learnt], codes[learnt])
    codes, people = codes[~learnt], people[~learnt]
    scores = np.zeros((len(codes), len(names)))
    scores[:, layer.classes_] = layer.predict_proba(seen[~learnt])
    labels = (codes[:, None] == np.arange(len(names))).astype(np.float64)  # [N, K]
    if len(names) == 2:
        labels, scores = labels[:, 1:], scores[:, 1:]
    area = bootstrap_auroc(labels, scores, people, replicates=replicates, seed=seed)
    return Probe(area.estimate, area.low, area.high, tuple(names), len(codes), area.num_patients)


def _half(codes: np.ndarray, patients: np.ndarray, seed: int) -> np.ndarray:
    """Deal patients to two halves, those of a class in turn, each gets half of the rarest; bool `[N]`."""
    names, patient = np.unique(patients, return_inverse=True)
    rarity = np.argsort(np.argsort(-np.bincount(codes), kind="stable"))  # of each class, the most common 0
    kind = np.zeros(len(names), np.int64)
    np.maximum.at(kind, patient, rarity[codes])
    shuffled = np.random.default_rng(seed).permutation(len(names))
    dealt = shuffled[np.argsort(kind[shuffled], kind="stable")]
    first = np.empty(len(names), bool)
    first[dealt] = np.arange(len(names)) % 2 == 0
    return first[patient]
