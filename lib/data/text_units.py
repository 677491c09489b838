"""What of a report a text encoder reads at a time."""

from collections.abc import Callable, Iterable

from lib.data.reports import report_sentences, report_text


def whole_report(findings: str, impression: str) -> list[str]:
    """Return the report as one text."""
    return [report_text(findings, impression)]


def impression_alone(findings: str, impression: str) -> list[str]:
    """Return the impression as one text (as Tiu et al. 2022, CheXzero); the findings where there is none."""
    return [_collapsed(impression) or _collapsed(findings)]


def sections(findings: str, impression: str) -> list[str]:
    """Return the sections that are there, each as one text."""
    return [text for text in map(_collapsed, (findings, impression)) if text] or [""]


TEXT_UNITS: dict[str, Callable[[str, str], list[str]]] = {
    "report": whole_report,
    "sentence": report_sentences,
    "impression": impression_alone,
    "section": sections,
}
"""Name -> (findings, impression) to the texts of a study, one or more, of which a batch has a random one."""


def check_text_unit(name: str) -> None:
    """Refuse an unknown unit.

    Raises:
        ValueError: holds the known ones.
    """
    if name not in TEXT_UNITS:
        raise ValueError(f"text_unit {name!r} is not one of {', '.join(TEXT_UNITS)}.")


def texts_of(findings: Iterable[str], impressions: Iterable[str], unit: str) -> list[list[str]]:
    """Return the texts of every study.

    Args:
        findings: one section for each study, maybe "".
        impressions: likewise.
        unit: of `TEXT_UNITS`.

    Raises:
        ValueError: unknown unit.
    """
    check_text_unit(unit)
    return [TEXT_UNITS[unit](*report) for report in zip(findings, impressions, strict=True)]


def _collapsed(section: str) -> str:
    return " ".join(section.split())
