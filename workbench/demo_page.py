"""The page of the demo: what its runs and stores hold, as figures in one file."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from workbench.figures import runs, stores
from workbench.figures.page import Section, write_page
from workbench.inputs import open_data
from workbench.reading import read_studies
from workbench.results import findings, summary
from workbench.runs import Run
from workbench.tables import auroc_table

LEAD = (
    "Everything on this page was made by this machine from synthetic studies: chests drawn by the project, "
    "not patients. The numbers show that the machinery works, not how well a method reads real radiographs."
)

QUESTION = (
    "An encoder pre-trained with REFERS on the reports of one hospital, and the same encoder with random "
    "weights, fine-tuned on a share of the labels of another hospital and tested on the same studies. Means "
    "over findings and seeds; intervals from resampling test patients; differences on the same resamples."
)


def write_demo_page(path: Path, pretrained: Run, grid: Sequence[Run], *, shown_ratio: float) -> pd.DataFrame:
    """Write the page.

    Args:
        path: of the HTML file.
        pretrained: the finished pre-training.
        grid: the finished fine-tunings.
        shown_ratio: label ratio of the figure by finding.

    Returns:
        The table of results on it.
    """
    (source, manifest), (target, _) = open_data(pretrained.config), open_data(grid[0].config)
    reading, result = read_studies(pretrained), summary(grid)
    table = auroc_table(result)
    sections = [
        Section(
            heading="What reports are worth when labels are scarce",
            prose=QUESTION,
            content=table,
        ),
        Section(
            heading="How many labels that saves",
            prose="The horizontal distance between the curves is the number of labels saved.",
            content=runs.auroc_by_label_ratio(grid, result),
        ),
        Section(
            heading="Finding by finding",
            prose="A mean hides which findings carry it.",
            content=runs.auroc_by_finding(grid, findings(grid), label_ratio=shown_ratio),
        ),
        Section(
            heading="The pre-training",
            prose="Two losses supervise it: writing the study's report, and recognising it among others.",
            content=runs.losses(pretrained),
        ),
        Section(
            heading="What it writes",
            prose="Reports of studies that it was not trained on, beside the true ones.",
            content=runs.reports(pretrained, reading, count=8),
        ),
        Section(
            heading="Which view it looks at",
            prose="The weight of each view in the feature of its study.",
            content=runs.fusion_weights(pretrained, reading),
        ),
        Section(
            heading="A study",
            prose="Views, boxes of three simulated readers, and the report with its sides marked.",
            content=stores.study(source, stores.telling_study(source)),
        ),
        Section(
            heading="The hospital with reports",
            prose="What REFERS learnt from.",
            content=stores.contact_sheet(source, count=24),
        ),
        Section(
            heading="The hospital with labels",
            prose="Where it was judged: other patients, other technique, no reports.",
            content=stores.contact_sheet(target, count=24),
        ),
        Section(
            heading="What there was to find",
            prose="By split, at the hospital with reports.",
            content=stores.label_prevalence(source, manifest),
        ),
    ]
    write_page(path, "Radiograph workbench: the demo", LEAD, sections)
    return table
