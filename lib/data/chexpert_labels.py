"""The fourteen CheXpert labels, and the one table that maps Open-i headings to them.

Open-i reports were indexed by hand: a report carries headings such as `Opacity/lung/base/left`
(heading, then qualifiers). A heading belongs to a label when the mention phrases of the CheXpert
labeler name it for that label (Irvin et al. 2019), with these decisions of ours:

- `No Finding` is the heading `normal` standing alone. CheXpert also allows devices beside it.
- No label follows from another one: cardiomegaly does not imply an enlarged cardiomediastinum, and
  pneumonia, edema, atelectasis or a nodule do not imply lung opacity. An indexer who saw both wrote both.
- Borderline, mild, chronic and healed count as present: the headings know no uncertainty.
- Opacity and density need a place in the lung; over a rib or the mediastinum they are something else.
- Granulomas, nearly all small, calcified and old, are no lung lesion: no phrase of the labeler names them,
  and they would outnumber nodules and masses two to one (234 studies against 104 of 2,914).
- Blunted costophrenic angles are neither effusion nor thickening, pericardial effusion is not pleural.
- Pulmonary fibrosis is lung opacity (interstitial), where the labeler has it as a pleural phrase.
- Surgical instruments are no support devices: 70 of 76 such reports mean surgical clips, mostly of an old
  cholecystectomy, and the labeler names lines, tubes, valves, pacemakers, hardware, but no clips.
"""

import math
from collections.abc import Iterable

CHEXPERT_LABELS = (
    "No Finding",
    "Enlarged Cardiomediastinum",
    "Cardiomegaly",
    "Lung Opacity",
    "Lung Lesion",
    "Edema",
    "Consolidation",
    "Pneumonia",
    "Atelectasis",
    "Pneumothorax",
    "Pleural Effusion",
    "Pleural Other",
    "Fracture",
    "Support Devices",
)

OPENI_HEADINGS = {
    "Enlarged Cardiomediastinum": ("Mediastinum/prominent", "Mediastinum/enlarged"),
    "Cardiomegaly": ("Cardiomegaly", "Cardiac Shadow/enlarged", "Cardiac Shadow/borderline"),
    "Lung Opacity": (
        "Opacity/lung",
        "Opacity/retrocardiac",
        "Opacity/pulmonary alveoli",
        "Density/lung",
        "Density/retrocardiac",
        "Airspace Disease",
        "Infiltrate",
        "Markings/interstitial",
        "Lung/interstitial",
        "Thickening/interstitial",
        "Thickening/bronchi",
        "Lung Diseases, Interstitial",
        "Pulmonary Fibrosis",
        "Cicatrix/lung",
    ),
    "Lung Lesion": ("Nodule", "Mass/lung", "Mass/thorax", "Cavitation/lung"),
    "Edema": ("Pulmonary Edema", "Pulmonary Congestion", "Heart Failure"),
    "Consolidation": ("Consolidation",),
    "Pneumonia": ("Pneumonia",),
    "Atelectasis": ("Pulmonary Atelectasis",),
    "Pneumothorax": ("Pneumothorax", "Hydropneumothorax"),
    "Pleural Effusion": ("Pleural Effusion", "Hydropneumothorax", "Hemothorax"),
    "Pleural Other": ("Thickening/pleura", "Cicatrix/pleura", "Calcinosis/pleura"),
    "Fracture": ("Fractures, Bone",),
    "Support Devices": (
        "Catheters, Indwelling",
        "Tube, Inserted",
        "Implanted Medical Device",
        "Medical Device",
        "Stents",
        "Spinal Fusion",
    ),
}
"""Label -> the headings that make it present: all words of an entry must be among the report's heading and
its qualifiers, the first word as the heading. Headings that stand nowhere here make no label present."""

NORMAL = "normal"
NOT_INDEXED = "no indexing"
"""The indexers left the report out, so nothing is known about it."""


def labels_from_headings(headings: Iterable[str]) -> dict[str, float]:
    """Label one report by its Open-i headings.

    Args:
        headings: `"Heading/qualifier/..."` each; letter case and outer spaces do not matter.

    Returns:
        Every CheXpert label -> 1.0 or 0.0; all NaN when there is no heading or only `No Indexing`.
    """
    present = {heading.strip().lower() for heading in headings} - {""}
    if present <= {NOT_INDEXED}:
        return dict.fromkeys(CHEXPERT_LABELS, math.nan)
    labels = dict.fromkeys(CHEXPERT_LABELS, 0.0)
    labels["No Finding"] = float(present == {NORMAL})
    for entry in present:
        heading, *qualifiers = (part.strip() for part in entry.split("/"))
        for needed, label in _RULES.get(heading, ()):
            if needed.issubset(qualifiers):
                labels[label] = 1.0
    return labels


def _index_rules() -> dict[str, list[tuple[frozenset[str], str]]]:
    """Return heading -> [(qualifiers that must be there, label)], in lower case."""
    rules: dict[str, list[tuple[frozenset[str], str]]] = {}
    for label, entries in OPENI_HEADINGS.items():
        for entry in entries:
            heading, *qualifiers = entry.lower().split("/")
            rules.setdefault(heading, []).append((frozenset(qualifiers), label))
    return rules


_RULES = _index_rules()
