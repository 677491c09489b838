"""Every baseline is shown: what it sees before it is trained, what it has learnt, and figures of both."""

import dataclasses
import re
import types

import plotly.graph_objects as go
import pytest

from lib.objectives import OBJECTIVES
from workbench.baselines import shown
from workbench.baselines.methods import METHODS, PAGES, examples, learnt, method_of
from workbench.batch_similarity import BatchSimilarity
from workbench.embedded import Opened
from workbench.figures.baselines import asked, drawn
from workbench.runs import Run
from workbench.tables import method_name

pytestmark = pytest.mark.usefixtures("one_thread")

RESTORES = ([shown.PictureRows], [shown.PictureRows])
SHOWN = {
    "c2l": ([shown.PictureRows] * 2, [shown.CropSimilarity]),
    "caption_lstm": ([shown.PairExamples], [shown.WrittenReports]),
    "caption_transformer": ([shown.PairExamples], [shown.WrittenReports]),
    "context_restoration": RESTORES,
    "contrastive_binary": ([shown.PairExamples], [BatchSimilarity]),
    "lsp": ([shown.PictureRows, shown.LabelUse], [shown.LabelScores]),
    "moco_v2": ([shown.PictureRows], [shown.CropSimilarity]),
    "model_genesis": ([shown.PictureRows] * 2, [shown.PictureRows]),
    "simclr": ([shown.PictureRows], [shown.CropSimilarity]),
    "transvw": RESTORES,
}


def test_every_objective_has_a_page():
    assert METHODS.keys() | PAGES.keys() == OBJECTIVES.keys()
    assert METHODS.keys() == SHOWN.keys()


@pytest.mark.parametrize("name", METHODS)
def test_what_it_asks_are_two_sentences(name):
    method = METHODS[name]
    assert len(re.findall(r"[.?](?: |$)", method.asks)) == 2
    assert method_name(name) != name and method.source


@pytest.mark.parametrize("name", METHODS)
def test_it_is_shown_and_drawn(name, trained):
    run = trained(name)
    seen, done = examples(run, count=3), learnt(run, count=3)
    assert [type(value) for value in seen] == SHOWN[name][0]
    assert [type(value) for value in done] == SHOWN[name][1]
    figures = drawn(run, [*seen, *done])
    assert len(figures) >= len(seen) + len(done)
    for figure in figures:
        text = figure.layout.title.text if isinstance(figure, go.Figure) else figure
        assert "synthetic studies, not patients" in text and f"tiny_{name}" in text
        assert re.search(
            r"\d+ (?:of \S+ |crops of |queries of )*(?:training|validation|texts|pictures)", text
        ), text
    assert method_name(name) in asked(run)


def test_what_it_sees_needs_no_finished_run(trained, monkeypatch):
    run = trained("model_genesis")
    monkeypatch.setattr(Run, "state", "running")
    monkeypatch.setattr(Opened, "__init__", lambda *_: pytest.fail("weights were opened"))
    assert len(examples(run, count=1)) == 2


def test_what_it_has_learnt_needs_one(trained, monkeypatch):
    run = trained("model_genesis")
    monkeypatch.setattr(Run, "state", "running")
    with pytest.raises(ValueError, match="is running, not finished"):
        learnt(run, count=1)


@pytest.mark.parametrize(
    "config, match",
    [
        ({"objective": {"name": "refers"}}, "'refers' is none .* page 02_pretrain_refers is for it"),
        ({"task": "finetune"}, "'finetune' is none of the baselines c2l, .*; no page shows it"),
    ],
)
def test_another_run_has_another_page(config, match):
    with pytest.raises(ValueError, match=match):
        method_of(types.SimpleNamespace(config=config))


def test_what_nobody_draws_is_our_mistake(trained):
    with pytest.raises(AssertionError, match="nothing draws Odd"):
        drawn(trained("lsp"), [dataclasses.make_dataclass("Odd", [])()])
