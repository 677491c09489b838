"""Labels of the phantom as a report labeller writes them: present, absent, unsure, or nothing said."""

import math
from collections.abc import Mapping, Sequence

from lib.data.chexpert_labels import CHEXPERT_LABELS
from lib.data.study import Study

FINDINGS = {
    "Cardiomegaly": ("Cardiomegaly",),
    "Lung Opacity": ("Consolidation", "Atelectasis", "Edema"),
    "Lung Lesion": ("Nodule", "Mass"),
    "Edema": ("Edema",),
    "Consolidation": ("Consolidation",),
    "Atelectasis": ("Atelectasis",),
    "Pneumothorax": ("Pneumothorax",),
    "Pleural Effusion": ("Pleural Effusion",),
    "Fracture": ("Rib Fracture",),
}
"""Label -> findings of the phantom that make it present; emphysema has no label."""

WORDS = {
    "Cardiomegaly": ("heart", "cardi"),
    "Lung Lesion": ("nodule", "mass"),
    "Edema": ("edema", "congest"),
    "Consolidation": ("consolidation",),
    "Atelectasis": ("atelecta",),
    "Pneumothorax": ("pneumothora",),
    "Pleural Effusion": ("effusion",),
    "Fracture": ("fracture",),
}
"""Label -> words by which a report speaks of it, so that what is not present is absent."""

UNSURE_EVERY = 7
"""One in so many unknown labels is written as -1, the others as an empty cell."""


def labels_as_mentioned(phantom: Study) -> dict[str, float]:
    """Return every CheXpert label: 1.0, 0.0 where the report names it, else NaN."""
    text = f"{phantom.findings} {phantom.impression}".lower()
    labels = dict.fromkeys(CHEXPERT_LABELS, math.nan)
    for label, findings in FINDINGS.items():
        if any(phantom.labels[finding] == 1 for finding in findings):
            labels[label] = 1.0
        elif any(word in text for word in WORDS.get(label, ())):
            labels[label] = 0.0
    if 1.0 not in labels.values():
        labels["No Finding"] = 1.0  # never 0.0: the labeller leaves that cell empty
    return labels


def label_cells(labels: Mapping[str, float], order: Sequence[str], number: int) -> list[str]:
    """Write the labels of a study as cells of a table.

    Args:
        labels: of the study.
        order: of the columns.
        number: of the study; decides which unknown labels are written as unsure.
    """
    cells = []
    for place, label in enumerate(order):
        if not math.isnan(labels[label]):
            cells.append(f"{labels[label]:.1f}")
        else:
            is_unsure = (number + place) % UNSURE_EVERY == 0 and label != "No Finding"
            cells.append("-1.0" if is_unsure else "")
    return cells
