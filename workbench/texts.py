"""What an objective reads of the reports: its tokenizers, and the tokens of a store."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from lib.data.batch import ReportTokens, tokenize_reports
from lib.data.store import Store
from lib.data.tokenizer import PieceTokenizer, ReportTokenizer, load_bert_tokenizer
from lib.loops.distributed import is_first, wait_for_all
from lib.objectives import OBJECTIVES
from lib.registry import resolve

TOKENIZER = "tokenizer.json"
"""What a run folder keeps of the vocabulary that the training reports gave."""


@dataclasses.dataclass(frozen=True)
class Texts:
    """The reports as an objective reads them.

    Attributes:
        tokens: of every report of the store; None for an objective that reads none.
        tokenizers: "report" and "text", as far as the objective reads them.
    """

    tokens: ReportTokens | None
    tokenizers: dict[str, PieceTokenizer]


def read_texts(config: Mapping[str, Any], store: Store, rows: np.ndarray, run_dir: Path) -> Texts:
    """Make the vocabulary of a pre-training from its training reports, and encode all reports.

    The processes of a group call this together; the first one writes the vocabulary.

    Args:
        config: of the run.
        store: with reports, where the objective reads any.
        rows: the training studies.
        run_dir: gets tokenizer.json.
    """
    values = config["objective"]
    reads = resolve(values["name"], OBJECTIVES).reads
    if not reads:
        return Texts(None, {})
    if is_first():
        texts = [store.texts[row] for row in rows]
        ReportTokenizer.train(texts, config["tokenizer"]["vocab_size"]).save(run_dir / TOKENIZER)
    wait_for_all()
    tokenizers = load_tokenizers(values, run_dir)
    tokens = tokenize_reports(
        store,
        tokenizers.get("report"),
        tokenizers.get("text"),
        values.get("max_report_tokens", 0),
        values.get("max_text_tokens", 0),
        text_unit=values.get("text_unit", "report"),
        swap=values.get("swap_sides", True),
    )
    return Texts(tokens, tokenizers)


def load_tokenizers(values: Mapping[str, Any], run_dir: Path) -> dict[str, PieceTokenizer]:
    """Return the tokenizers that an objective reads with: that of its BERT folder, or the reports' own.

    Args:
        values: section of the objective in the config of a run.
        run_dir: folder of that run.
    """
    reads = resolve(values["name"], OBJECTIVES).reads
    if not reads:
        return {}
    own = ReportTokenizer.load(run_dir / TOKENIZER)
    folder = values.get("text", {}).get("folder", "")
    every = {"report": own, "text": load_bert_tokenizer(Path(folder)) if folder else own}
    return {name: every[name] for name in reads}
