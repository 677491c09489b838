"""The fourteen CheXpert labels read from report text by rules.

These are rules of ours, phrases and the scope of negations, from general knowledge of how chest reports are
written. They are not the CheXpert labeler, not CheXbert, and validated by nobody: they serve to compare
generated with true reports where no such model is at hand. How far they agree with the people who indexed
Open-i is measured in the tests. English only.

A sentence speaks of a finding when a phrase of it matches. It denies the finding when a negation stands
before it in the same clause ("no focal consolidation, effusion or pneumothorax") or behind it ("is not
seen"), and is unsure of it with "may represent", "possible", "cannot be excluded" and the like. A report has
a finding that any sentence affirms.
"""

import re
from collections.abc import Sequence

import numpy as np

from lib.data.chexpert_labels import CHEXPERT_LABELS
from lib.data.reports import split_sentences

AFFIRMED, UNSURE, DENIED = 2, 1, 0
"""How a sentence speaks of a finding."""

_GAP = r"(?:[\w-]+ ){0,4}"  # up to four words between the two halves of a phrase
_HEART = r"(?:heart|cardiac (?:silhouette|size|shadow|contours?)|cardiac)"
_MEDIASTINUM = r"(?:cardio)?mediastin(?:um|al)"
_LARGE = r"(?:enlarge[d]?|enlargement|enlarging|large|prominen(?:t|ce)|widen(?:ed|ing))"

PHRASES = {
    "Enlarged Cardiomediastinum": (
        rf"{_MEDIASTINUM} {_GAP}{_LARGE}",
        rf"{_LARGE} {_GAP}{_MEDIASTINUM}",
        r"vascular pedicle",
    ),
    "Cardiomegaly": (
        r"cardiomegaly",
        rf"{_HEART} {_GAP}(?:{_LARGE}|borderline)",
        rf"(?:{_LARGE}|borderline) {_GAP}{_HEART}",
    ),
    "Lung Opacity": (
        r"opacit(?:y|ies)|opacifi\w+|opaque|haz(?:y|iness)",
        r"infiltrat\w+",
        r"air[ -]?space (?:disease|process)\w*",
        r"interstitial",
        r"(?<!calcified )densit(?:y|ies)",
        r"fibrosis|fibrotic",
        r"(?<!pleural )scar(?:s|ring)?",
        r"(?:peri)?bronchial (?:wall )?(?:thickening|cuffing)",
        r"reticular|reticulonodular|ground[ -]glass",
    ),
    "Lung Lesion": (
        r"nodules?",
        r"(?<!thyroid )(?<!breast )mass(?:es)?",
        r"cavit(?:y|ies|ary|ation)",
        r"(?:lung|pulmonary|parenchymal) lesions?",
        r"neoplasms?|tumou?rs?|metasta\w+|malignan\w+",
    ),
    "Edema": (
        r"(?<!tissue )edema",
        r"congest(?:ion|ed|ive)|vascular (?:prominence|engorgement|redistribution)|venous hypertension",
        r"(?:heart|cardiac) (?:failure|decompensation)",
        r"chf",
        r"cephalization",
    ),
    "Consolidation": (r"consolidat\w+",),
    "Pneumonia": (r"(?:broncho)?pneumonias?", r"pneumonitis", r"(?<!granulomatous )infecti(?:on|ous)"),
    "Atelectasis": (r"atelecta\w+", r"collapse[d]?(?! of)"),
    "Pneumothorax": (r"(?:hydro)?pneumothora\w+",),
    "Pleural Effusion": (
        r"(?<!pericardial )effusions?",
        r"pleural fluid|fluid in the pleural",
        r"h(?:a?emo|ydro)(?:pneumo)?thora\w+",
    ),
    "Pleural Other": (
        r"pleural(?:-\w+)? (?:[\w-]+ ){0,2}(?:thicken\w+|scar\w*|calcifi\w+|plaques?)",
        r"(?:thicken\w+|scar\w*|calcifi\w+) (?:of|in) the (?:\w+ )?(?:pleura|fissure)",
        r"fibrothorax|apical cap\w*",
    ),
    "Fracture": (r"fractur\w+",),
    "Support Devices": (
        r"catheters?|picc|medi-?port|port-a-cath|infuse-?a-?port",
        r"(?:central|venous|arterial|subclavian|jugular) lines?",
        r"tips? (?:\w+ ){0,5}(?:svc|vena cava|atri(?:um|al)|cavoatrial|carina)|tracheostomy",
        r"tub(?:es?|ing)|pace-?makers?|pacers?|a?icds?|defibrillators?|leads?(?! to)|electrodes?",
        r"stimulators?|stents?|shunts?|prosthe\w+|hardware|spinal fusion|fusion|rods?|screws?|balloon pump",
        r"valve (?:replacement|repair)|valvuloplasty|devices?|internal fixation|vena cava filter|ivc filter",
    ),
}
"""Label -> regular expressions over a sentence in lower case, each between word borders."""

OTHER_FINDINGS = (
    r"granuloma\w*|calcifi\w+|atherosclero\w+|tortuo\w+|ectasia|ectatic|aneurysm\w*|unfold\w+",
    r"scoliosis|kyphosis|degenerat\w+|osteophyt\w*|spondyl\w+|spurring|deformit\w+|osteopeni\w+|arthri\w+",
    r"hyper-?(?:inflat|expan|aerat|lucen)\w*|emphysema\w*|copd|bull[ao]\w*|curvature|crowding",
    r"hypo-?inflat\w+|low (?:lung )?volumes?|volumes? (?:are|is) (?:low|decreased)|volume loss|lucen\w+",
    r"hernia\w*|eventration|elevat\w+ \w* ?(?:hemi)?diaphragm|blunt\w+|adenopathy|lymphadenopathy",
    r"surgical|surgery|clips?|sternotomy|cabg|mastectomy|cholecystectomy|wires?|post-?operative",
)
"""Phrases that speak of something outside the fourteen labels, so that the report has a finding."""

NEGATIONS_BEFORE = (
    r"(?:no|not|without)(?! (?:\w+ ){0,2}chang)|negative for|rather than|neither|nor|resolved|ruled out",
    r"(?:free|clear(?:ed|ing)?|absence|resolution|removal|lack) of",
)
NEGATIONS_BEHIND = (
    r"(?:not|no longer) (?:\w+ ){0,2}(?:seen|identified|present|visuali[sz]ed|evident|noted|appreciated)",
    r"absent|resolved|removed|unlikely|(?:has|have) cleared|(?:is|are|been) (?:excluded|ruled out)",
)
UNCERTAINTIES = (
    r"may|might|could|possib(?:le|ly|ility)|probabl[ey]|likely|suspect\w*|suspicious|suggest\w*|concern\w*",
    r"question\w*|versus|vs|differential|consider\w*|perhaps|presumabl[ey]|equivocal|or",
)
NEGATED_NEGATIONS = (r"(?:cannot|can not|not|difficult to) (?:\w+ ){0,3}(?:excluded?|ruled? out)|rule out",)
"""They contain a negation and yet deny nothing."""
ASIDES = (
    r"if|sensitive|(?:for|limits?) (?:\w+ ){0,2}(?:evaluation|assessment|detection)",
    r"may not be (?:\w+ )?(?:seen|demonstrated|visuali[sz]ed)",
)
"""A sentence with one of these speaks of what might be looked for, not of what is there."""
SCOPE_ENDS = (
    r";|:|\b(?:but|however|though|although|except|yet|aside from|other than|apart from)\b",
    r",? (?:and )?(?:there (?:is|are)|which|with)\b|\bsecondary to\b",
    r", (?=(?:stable|unchanged|mild|moderate|severe|marked|small|minimal|persistent|bibasilar|left|right)\b)",
)
"""Where a negation before a finding stops to count."""


def label_reports(texts: Sequence[str], *, uncertain: float = 1.0) -> np.ndarray:
    """Label reports by rules.

    Args:
        texts: findings and impression of each report; an empty one has no label at all.
        uncertain: the label of a finding that a report is unsure of and does not affirm elsewhere.

    Returns:
        float32 `[N, 14]` in the order of `CHEXPERT_LABELS`, 1 or 0 (denied or not mentioned).
        "No Finding" is present where nothing is found but devices, inside the fourteen labels or outside.
    """
    if isinstance(texts, str):
        raise ValueError("label_reports takes a list of reports, not one text.")
    return np.array([_label(text, uncertain) for text in texts], np.float32).reshape(-1, len(CHEXPERT_LABELS))


def mentions(sentence: str) -> dict[str, int]:
    """Return what a sentence says: label -> `AFFIRMED`, `UNSURE` or `DENIED`, the strongest of several.

    Labels that it does not speak of are missing; "other" stands for `OTHER_FINDINGS`.
    """
    sentence = " ".join(sentence.lower().split())
    is_aside = _ASIDE.search(sentence)
    found: dict[str, int] = {}
    for label, phrase in _PHRASES.items():
        for match in () if is_aside else phrase.finditer(sentence):
            found[label] = max(found.get(label, DENIED), _status(sentence, match.start(), match.end()))
    return found


def _label(text: str, uncertain: float) -> list[float]:
    strongest: dict[str, int] = {}
    for sentence in split_sentences(text):
        for label, status in mentions(sentence).items():
            strongest[label] = max(strongest.get(label, DENIED), status)
    value = {AFFIRMED: 1.0, UNSURE: uncertain, DENIED: 0.0}
    labels = {label: value[strongest.get(label, DENIED)] for label in CHEXPERT_LABELS}
    is_found = any(status != DENIED for label, status in strongest.items() if label != "Support Devices")
    labels["No Finding"] = float(bool(text.strip()) and not is_found)
    return list(labels.values())


def _status(sentence: str, start: int, end: int) -> int:
    """Tell how a sentence speaks of the phrase between two places."""
    before, behind = sentence[:start], sentence[end:]
    before = before[max((match.end() for match in _SCOPE_END.finditer(before)), default=0) :]
    behind_end = _SCOPE_END.search(behind)
    behind = behind[: behind_end.start()] if behind_end else behind
    if _NEGATED_NEGATION.search(before) or _NEGATED_NEGATION.search(behind):
        return UNSURE
    is_denied_inside = re.search(r"\b(?:not|non|no|without)\b", sentence[start:end])
    if is_denied_inside or _BEFORE.search(before) or _BEHIND.search(behind):
        return DENIED
    return UNSURE if _UNSURE.search(before) or _UNSURE.search(behind) else AFFIRMED


def _any_of(phrases: Sequence[str]) -> re.Pattern:
    return re.compile(rf"\b(?:{'|'.join(phrases)})\b")


_OTHER = "other"
_PHRASES = {label: _any_of(phrases) for label, phrases in PHRASES.items()} | {_OTHER: _any_of(OTHER_FINDINGS)}
_BEFORE, _BEHIND = _any_of(NEGATIONS_BEFORE), _any_of(NEGATIONS_BEHIND)
_UNSURE, _NEGATED_NEGATION = _any_of(UNCERTAINTIES), _any_of(NEGATED_NEGATIONS)
_ASIDE = _any_of(ASIDES)
_SCOPE_END = re.compile("|".join(SCOPE_ENDS))
