"""What baselines that read or write reports see, and the reports that they write."""

import pandas as pd

from lib.data.loader import StudyLoader
from lib.protocols.report_generation import rows_with_reports
from workbench.baselines.shown import PairExamples, WrittenReports
from workbench.batch_similarity import BatchSimilarity, batch_similarity
from workbench.embedded import Opened
from workbench.inputs import open_data, resolve_device
from workbench.pair_examples import example_pairs
from workbench.reopen import load_tokenizers
from workbench.runs import Run
from workbench.view_choice import studies_seen, view_settings


def with_texts(run: Run, count: int) -> list[PairExamples]:
    """Show training pictures, each with the text that it is trained with.

    Args:
        run: finished or not.
        count: studies.
    """
    unit = run.config["objective"].get("text_unit", "report")
    return [PairExamples(f"A picture and its {unit}", example_pairs(run.config, count=count))]


def matched(run: Run, count: int) -> list[BatchSimilarity]:
    """Compare the texts and pictures of a validation batch before and after the training.

    Args:
        run: a finished run of an objective that embeds texts.
        count: of no use here: a whole batch is compared.
    """
    return [batch_similarity(run)]


def written(run: Run, count: int) -> list[WrittenReports]:
    """Have validation reports written by greedy search.

    Args:
        run: a finished run of an objective that writes reports.
        count: of them.
    """
    opened = Opened(run, device=resolve_device("auto"))
    store, manifest = open_data(run.config)
    rows = studies_seen(run.config, store, manifest.rows("validation"))
    rows = rows_with_reports(store.texts, rows)[:count]
    loader = StudyLoader(
        store,
        rows,
        batch_size=len(rows),
        **view_settings(run.config),
        device=opened.device,
    )
    (batch,) = loader.epoch(0)
    tokens = opened.objective.generate(batch.images).cpu().numpy()
    tokenizer = load_tokenizers(run)["report"]
    reports = {
        "study_id": store.studies["study_id"].to_numpy()[rows],
        "true": [store.texts[row] for row in rows],
        "generated": [tokenizer.decode(ids) for ids in tokens],
    }
    return [WrittenReports(pd.DataFrame(reports))]
