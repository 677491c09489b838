"""Findings of the COVID-19 Image Data Collection -> labels of the two tasks that REFERS fine-tunes on."""

import math
from collections.abc import Iterable

COVID_LABELS = ("COVID-19", "Viral Pneumonia", "Bacterial Pneumonia")

_COVID, _VIRAL, _BACTERIAL, _NEITHER = (1.0, 1.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0), (0.0, 0.0, 0.0)
_NO_CAUSE = (0.0, math.nan, math.nan)
_NOT_LABELLED = (math.nan, math.nan, math.nan)

FINDINGS = {
    "COVID-19": _COVID,
    "Viral": _VIRAL,
    "SARS": _VIRAL,
    "MERS-CoV": _VIRAL,
    "Influenza": _VIRAL,
    "H1N1": _VIRAL,
    "Varicella": _VIRAL,
    "Herpes": _VIRAL,
    "Bacterial": _BACTERIAL,
    "Streptococcus": _BACTERIAL,
    "Klebsiella": _BACTERIAL,
    "Legionella": _BACTERIAL,
    "Chlamydophila": _BACTERIAL,
    "Mycoplasma": _BACTERIAL,
    "Mycoplasma Bacterial Pneumonia": _BACTERIAL,
    "E.Coli": _BACTERIAL,
    "Nocardia": _BACTERIAL,
    "Staphylococcus": _BACTERIAL,
    "MRSA": _BACTERIAL,
    "Fungal": _NEITHER,
    "Pneumocystis": _NEITHER,
    "Aspergillosis": _NEITHER,
    "Lipoid": _NEITHER,
    "Aspiration": _NEITHER,
    "Tuberculosis": _NEITHER,  # the publishers do not file it under Pneumonia/Bacterial
    "No Finding": _NEITHER,
    "Pneumonia": _NO_CAUSE,
    "ARDS": _NO_CAUSE,
    "todo": _NOT_LABELLED,
    "Unknown": _NOT_LABELLED,
    "": _NOT_LABELLED,
}
"""Finding, or the last part of its path -> values of `COVID_LABELS`.

COVID-19 is set against all the rest, as in the lists of the REFERS authors. Where the cause is not told,
nobody can say whether it was a virus.
"""

_BY_LOWER_CASE = {name.lower(): values for name, values in FINDINGS.items()}


def unknown_finding(finding: str) -> str:
    """Return the first part of a cell of the column `finding` that `FINDINGS` lacks, or ""."""
    return next((term for term in _terms(finding) if term.lower() not in _BY_LOWER_CASE), "")


def labels_from_findings(findings: Iterable[str]) -> dict[str, float]:
    """Return the labels of one study.

    Args:
        findings: cells of the column `finding`, at least one; together they affirm what one of them affirms,
            else deny what one of them denies.
    """
    values = [_BY_LOWER_CASE[term.lower()] for finding in findings for term in _terms(finding)]
    labels = {}
    for label, told in zip(COVID_LABELS, zip(*values, strict=True), strict=True):
        labels[label] = max((value for value in told if not math.isnan(value)), default=math.nan)
    return labels


def _terms(finding: str) -> list[str]:
    """Split `COVID-19, ARDS`; of a path `Pneumonia/Viral/COVID-19` the last part tells."""
    return [term.rsplit("/", 1)[-1].strip() for term in finding.split(",")]
