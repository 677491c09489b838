"""What the reports of a data set are like, counted in one pass without keeping them."""

import dataclasses
import hashlib
from collections.abc import Iterable

import numpy as np

from lib.data.reports import count_removed, count_tokens, report_text, split_sentences

DIGEST_BYTES = 16


@dataclasses.dataclass(frozen=True)
class ReportStatistics:
    """Counts over studies.

    Attributes:
        studies: all of them.
        no_findings: without text in that section.
        no_impression: without text in that section.
        no_text: without both.
        removed: with words that the publishers removed.
        repeated: whose text another study has word for word; retrieval must allow for ties among them.
        distinct: different texts.
        tokens: 5, 50 and 95 % of the studies with text have at most so many tokens.
        sentences: the same of sentences.
    """

    studies: int
    no_findings: int
    no_impression: int
    no_text: int
    removed: int
    repeated: int
    distinct: int
    tokens: tuple[float, float, float]
    sentences: tuple[float, float, float]


def report_statistics(sections: Iterable[tuple[str, str]]) -> ReportStatistics:
    """Count over the findings and impression of each study."""
    studies = no_findings = no_impression = no_text = removed = 0
    texts = bytearray()  # a digest each: a Counter would take ten times as much
    tokens, sentences = [], []
    for findings, impression in sections:
        text = report_text(findings, impression)
        studies += 1
        no_findings += not findings.strip()
        no_impression += not impression.strip()
        if not text:
            no_text += 1
            continue
        removed += count_removed(text) > 0
        texts += hashlib.blake2b(text.lower().encode(), digest_size=DIGEST_BYTES).digest()
        tokens.append(count_tokens(text))
        sentences.append(len(split_sentences(findings)) + len(split_sentences(impression)))
    _, copies = np.unique(np.frombuffer(texts, f"S{DIGEST_BYTES}"), return_counts=True)
    return ReportStatistics(
        studies=studies,
        no_findings=no_findings,
        no_impression=no_impression,
        no_text=no_text,
        removed=removed,
        repeated=int(copies[copies > 1].sum()),
        distinct=len(copies),
        tokens=_spread(tokens),
        sentences=_spread(sentences),
    )


def _spread(counts: list[int]) -> tuple[float, float, float]:
    return tuple(np.quantile(counts, (0.05, 0.5, 0.95)).tolist()) if counts else (0.0, 0.0, 0.0)
