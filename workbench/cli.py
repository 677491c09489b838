"""The command line: what a person types, one verb each. Heavy imports stay inside the verbs."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from workbench.command_words import by_name, explain, is_expected, join_pairs

app = typer.Typer(
    name="workbench",
    help="Learn image representations from radiographs and their reports, and judge them.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Options = Annotated[
    list[str], typer.Option("--option", metavar="KEY=VALUE", help="of the reader; repeatable")
]
Overrides = Annotated[
    list[str] | None, typer.Argument(metavar="[KEY=VALUE ...]", help="of the recipe, dotted")
]

Queries = Annotated[int, typer.Option(help="pictures of each category to look with")]
Candidates = Annotated[int, typer.Option(help="pictures of each category to look among")]
Port = Annotated[int, typer.Option(min=1, max=65535, help="the first one to try")]
Parameters = Annotated[list[str], typer.Option("-p", "--parameter", metavar="NAME VALUE", help="repeatable")]


@app.callback()
def options(
    debug: Annotated[bool, typer.Option("--debug", help="Show where an error came from.")] = False,
) -> None:
    """Take the options that every verb has."""
    if debug:
        os.environ["WORKBENCH_DEBUG"] = "1"


@app.command()
def demo() -> None:
    """Run the tour on phantom studies, headless.

    Prints the result table and where to look.
    """
    from workbench.demo import run_demo

    run_demo()


@app.command()
def doctor() -> None:
    """Say what is here, what does not fit, what to do."""
    from workbench.doctor import examine, report

    checks = examine()
    print(report(checks))
    if any(check.state == "problem" for check in checks):
        raise typer.Exit(1)


@app.command()
def ingest(
    name: Annotated[str, typer.Argument(help="data set: phantom, phantom_target, openi, ...")],
    out: Annotated[Path, typer.Option(help="folder of the new store")],
    root: Annotated[Path | None, typer.Option(help="folder with the data set's own files")] = None,
    size: Annotated[int, typer.Option(help="side of the square images, pixels")] = 256,
    limit: Annotated[int | None, typer.Option(help="read only that many studies")] = None,
    split_lists: Annotated[
        Path | None, typer.Option(help="folder with train.txt, val.txt, test.txt of a published split")
    ] = None,
    option: Options = [],  # noqa: B006 - typer copies it
) -> None:
    """Read a data set into a store, split it by patient and audit that.

    Resumable; ends with what was kept, what was dropped and why.
    """
    from lib.data.ingest import ingest as read_into
    from lib.data.readers import open_reader
    from workbench.audits import freeze_and_audit
    from workbench.parameters import read_options

    options = read_options(option)
    if split_lists is not None:
        options["split_lists"] = str(split_lists)
    store = read_into(open_reader(name, root, **options), out, image_size=size, limit=limit)
    print(freeze_and_audit(store))


@app.command()
def audit(
    target: Annotated[Path, typer.Argument(help="store that is split into training, validation and test")],
    stores: Annotated[list[Path] | None, typer.Argument(help="further stores: pre-trained on")] = None,
    pretraining: Annotated[list[Path], typer.Option(help="the same, by name; repeatable")] = [],  # noqa: B006 - typer copies it
    boxes: Annotated[list[Path], typer.Option(help="store whose boxes are judged by; repeatable")] = [],  # noqa: B006
    manifest: Annotated[Path | None, typer.Option(help="split of the target; else the one beside it")] = None,
    split_seed: Annotated[int, typer.Option(help="of the manifests beside the stores")] = 0,
) -> None:
    """Look for anything of a test set on the other side of its border.

    Ends with exit code 1 where there is a leak.
    """
    from workbench.audits import audit_stores, describe_findings

    learnt = [*(stores or []), *pretraining]
    findings = audit_stores(target, learnt, boxes=boxes, manifest=manifest, split_seed=split_seed)
    print(describe_findings(findings))
    if any(finding.is_leak for finding in findings):
        raise typer.Exit(1)


@app.command()
def phantom(
    layout: Annotated[str, typer.Option(help="data set whose official layout to write: nih, ...")],
    out: Annotated[Path, typer.Option(help="new folder")],
    studies: Annotated[int, typer.Option(help="how many phantom studies")] = 50,
    seed: Annotated[int, typer.Option(help="other seeds are other patients")] = 0,
    size: Annotated[int, typer.Option(help="side of the pictures, pixels")] = 256,
) -> None:
    """Write a small synthetic download of a data set, to rehearse with.

    Synthetic pictures in the official folders and tables; `ingest` reads them like the real ones.
    """
    from lib.data.layouts import write_layout

    written = write_layout(layout, out, num_studies=studies, seed=seed, image_size=size)
    print(f"{out}: {len(written)} synthetic studies laid out as {layout}")


@app.command()
def run(
    notebook: Annotated[str, typer.Argument(help="name of a notebook, or a path")],
    parameter: Parameters = [],  # noqa: B006 - typer copies it
    output: Annotated[Path | None, typer.Option(help="the executed copy")] = None,
) -> None:
    """Run a notebook headless.

    Unknown parameters are errors; a failing cell is named.
    """
    from workbench.notebooks import run_notebook

    print(run_notebook(notebook, by_name(parameter), output=output))


@app.command()
def train(
    recipe: Annotated[str, typer.Argument(help="name of a recipe, or a path")], overrides: Overrides = None
) -> None:
    """Train by a recipe, without a notebook.

    A run that was killed goes on where it stopped.
    """
    from workbench.train import train as train_recipe

    print(train_recipe(recipe, overrides or []).folder)


@app.command()
def sweep(
    file: Annotated[str, typer.Argument(help="name of a sweep, or a path")],
    overrides: Overrides = None,
    workers: Annotated[int, typer.Option(help="runs at a time; they share the cores")] = 2,
    executor: Annotated[
        str,
        typer.Option(help="direct or notebook, which keeps executed pages; else as the file says"),
    ] = "",
    cluster: Annotated[str, typer.Option(help="slurm: each run is a job of the cluster")] = "",
    slurm: Annotated[
        list[str],
        typer.Option(metavar="KEY=VALUE", help="partition, account, time, gpus, ... of a run; repeatable"),
    ] = [],  # noqa: B006 - typer copies it
    table: Annotated[str, typer.Option(help="how to print: text, markdown, latex, csv")] = "text",
    look: Annotated[bool, typer.Option("--look", help="only show how far it is")] = False,
) -> None:
    """Run a grid of methods, targets, label ratios and seeds.

    What is finished is taken as it is. Failures are listed at the end, and the same command does these again.
    """
    from workbench.sweep_command import do_sweep, look_at_sweep

    if look:
        code = look_at_sweep(file, overrides or [], table)
    else:
        code = do_sweep(
            file, overrides or [], table, workers=workers, executor=executor, cluster=cluster, settings=slurm
        )
    raise typer.Exit(code)


@app.command()
def variants(
    file: Annotated[str, typer.Argument(help="name of a file of variants, or a path")],
    overrides: Overrides = None,
    recipe: Annotated[str, typer.Option(help="another one than the file's")] = "",
    queries: Queries = 5,
    candidates: Candidates = 10,
    look: Annotated[bool, typer.Option("--look", help="train nothing")] = False,
) -> None:
    """Train a recipe with one setting changed at a time, and judge each.

    What is finished is not trained again.
    """
    from lib.protocols.retrieval import RetrievalConfig
    from workbench.judging import JudgeConfig
    from workbench.variants_command import do_variants

    config = JudgeConfig(retrieval=RetrievalConfig(num_queries=queries, num_candidates=candidates))
    do_variants(file, overrides or [], config, recipe=recipe, look=look)


@app.command()
def judge(
    run: Annotated[list[str], typer.Argument(help="ids of pre-training runs")],
    store: Annotated[str, typer.Option(help="another store than the runs' own")] = "",
    queries: Queries = 5,
    candidates: Candidates = 10,
    initial: Annotated[bool, typer.Option(help="also judge the weights that a run began with")] = False,
) -> None:
    """Retrieve, classify without training, probe linearly.

    Each number has its 95 % interval and, in brackets, what guessing gives.
    """
    from lib.protocols.retrieval import RetrievalConfig
    from workbench.judging import JudgeConfig, judge_pairs
    from workbench.runs import open_run
    from workbench.tables import judgement_table

    config = JudgeConfig(retrieval=RetrievalConfig(num_queries=queries, num_candidates=candidates))
    judged = {}
    for one in [open_run(name) for name in run]:  # all of them before the first is judged
        for weights in ("trained", "initial")[: 1 + initial]:
            name = one.id if weights == "trained" else f"{one.id}, as it began"
            judged[name] = judge_pairs(one, store=store, config=config, weights=weights)
            for part, reason in judged[name]["not_judged"].items():
                print(f"{name}: {part} not judged: {reason}")
    print(judgement_table(judged).to_string())


@app.command()
def generate(
    run: Annotated[list[str], typer.Argument(help="ids of pre-training runs that write reports")],
    store: Annotated[str, typer.Option(help="another store than the runs' own")] = "",
    split: Annotated[str, typer.Option(help="test or validation")] = "test",
    beam: Annotated[int, typer.Option(help="hypotheses of the beam search; 1 is greedy")] = 4,
    limit: Annotated[int, typer.Option(help="write about the first N studies only; 0: all")] = 0,
) -> None:
    """Write reports and compare them with the true ones.

    Beside them: the report of the most similar training image, and the most frequent training report.
    """
    from workbench.generating import generate_reports
    from workbench.report_examples import describe_generation
    from workbench.runs import open_run

    for one in [open_run(name) for name in run]:  # all of them before the first writes
        judged = generate_reports(one, store=store, split=split, beam_size=beam, limit=limit)
        print(describe_generation(judged))


@app.command()
def locate(
    run: Annotated[list[str], typer.Argument(help="ids of fine-tuning runs")],
    method: Annotated[str, typer.Option(help="of the maps: cam, grad_cam, relevance, ...")] = "cam",
    store: Annotated[str, typer.Option(help="another store than the runs' own")] = "",
    split: Annotated[str, typer.Option(help="whose boxes")] = "test",
    all_splits: Annotated[bool, typer.Option("--all-splits", help="each in turn, leaks marked")] = False,
    by_finding: Annotated[bool, typer.Option("--by-finding", help="a threshold for each finding")] = False,
    threshold: Annotated[float | None, typer.Option(help="of the maximum; chosen on validation")] = None,
    faithful: Annotated[int, typer.Option(help="cases for deletion and insertion curves")] = 0,
    allow_leak: Annotated[str, typer.Option(help="reason to go on in spite of the audit")] = "",
) -> None:
    """Compare where a classifier looks with what readers marked.

    Beside it: a box in the centre, the mean box, and the readers among themselves.
    """
    from workbench.locate_command import do_locate

    options = {"by_finding": by_finding, "threshold": threshold, "faithful": faithful}
    do_locate(
        run,
        all_splits=all_splits,
        split=split,
        store=store,
        method=method,
        allow_leak=allow_leak,
        **options,
    )


@app.command()
def results(
    sql: Annotated[str | None, typer.Option(help="query over the tables, instead of the summary")] = None,
    table: Annotated[str, typer.Option(help="how to print: text, markdown, latex, csv")] = "text",
    comparator: Annotated[str, typer.Option(help="method that the others are compared with")] = "random",
    out: Annotated[Path | None, typer.Option(help="file of them: .md, .tex, .txt, .csv (numbers)")] = None,
) -> None:
    """Show tables over all run folders: methods by label ratios, with intervals and tests."""
    from workbench.results import print_results

    print_results(sql, form=table, comparator=comparator, out=out)


@app.command()
def lab(
    port: Port = 8888,
    browser: Annotated[bool, typer.Option(help="open one")] = True,
) -> None:
    """Start JupyterLab, for this machine only.

    It listens on the loopback interface, behind a token, and opens the tour.
    """
    from workbench.lab import start_lab

    start_lab(port=port, open_browser=browser)


@app.command()
def serve(
    notebook: Annotated[str, typer.Argument(help="name of a notebook, or a path")],
    parameter: Parameters = [],  # noqa: B006 - typer copies it
    port: Port = 8866,
    browser: Annotated[bool, typer.Option(help="open one")] = True,
) -> None:
    """Show a page without its code, read-only over finished runs.

    It listens on the loopback interface, behind a token, and starts a kernel for each visit.
    """
    from workbench.serving import serve_page

    serve_page(notebook, by_name(parameter), port=port, open_browser=browser)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; what a person did wrong ends in one line and exit code 1 (usage: 2)."""
    arguments = join_pairs(sys.argv[1:] if arguments is None else list(arguments))
    try:
        app(arguments, prog_name="workbench")
    except Exception as error:
        if os.environ.get("WORKBENCH_DEBUG") or not is_expected(error):
            raise
        print(f"workbench: {explain(error)}", file=sys.stderr)
        sys.exit(1)
