"""How often each finding is there, and how often the labels are wrong.

`python -m lib.data.phantom.summary [STUDIES]` prints the tables of `docs/phantom.md`.
"""

import collections
import sys

from lib.data.phantom.domain import DOMAINS, LABEL_NAMES
from lib.data.phantom.visit import sample_visit
from lib.data.readers.phantom import PhantomSource, PhantomTarget


def count_findings(domain: str, studies: int, seed: int = 0) -> dict[str, collections.Counter]:
    """Count studies by what is there and what their labels say.

    Returns:
        Finding -> counts of (is there, is labelled); under "Normal" of studies without any finding.
    """
    reader = {"source": PhantomSource, "target": PhantomTarget}[domain](studies=studies, seed=seed)
    counts = collections.defaultdict(collections.Counter)
    for index, study in enumerate(reader):
        visit = sample_visit(domain, seed, index, reader.image_size)
        truth = {finding.name for finding in visit.findings}
        for name in LABEL_NAMES:
            counts[name][name in truth, study.labels[name] == 1.0] += 1
        counts["Normal"][not truth, not any(study.labels.values())] += 1
    return dict(counts)


def format_table(studies: int) -> str:
    """Return prevalence and label errors of both domains as a Markdown table."""
    lines = [
        f"| {studies} studies each | source: there | labelled | missed | false | target: there | labelled |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    source, target = (count_findings(name, studies) for name in DOMAINS)
    for name in (*LABEL_NAMES, "Normal"):
        cells = [name]
        for counts, has_errors in ((source[name], True), (target[name], False)):
            there = counts[True, True] + counts[True, False]
            labelled = counts[True, True] + counts[False, True]
            cells += [f"{there / studies:.1%}", f"{labelled / studies:.1%}"]
            if has_errors:
                missed, false = counts[True, False] / there, counts[False, True] / (studies - there)
                cells += [f"{missed:.1%}", f"{false:.1%}"]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(format_table(int(sys.argv[1]) if len(sys.argv) > 1 else 5000))
