"""The demo: curate, pre-train, fine-tune and tour on phantom studies, headless, and one page of figures."""

import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from workbench.notebooks import PROJECT, find_notebook, run_notebook
from workbench.parameters import read_parameters
from workbench.runs import Run

FOLDER = PROJECT / "outputs" / "demo"


class Step(NamedTuple):
    """One notebook of the demo."""

    notebook: str
    name: str
    """Of the executed copy."""
    parameters: dict[str, Any]


def run_demo() -> None:
    """Run the notebooks in order, write the page, print the result table and where everything is.

    Everything is kept: a second call only looks at what is there.
    """
    from workbench.demo_page import write_demo_page

    begun = time.monotonic()
    asked = {one.name: one.default for one in read_parameters(find_notebook("00_tour")).values()}
    steps, copies = plan_demo(asked), []
    for number, step in enumerate(steps, start=1):
        print(f"[{number}/{len(steps)}] {step.name} ...", end=" ", flush=True)
        started = time.monotonic()
        copies.append(run_notebook(step.notebook, step.parameters, output=FOLDER / f"{step.name}.ipynb"))
        print(f"{time.monotonic() - started:.0f} s", flush=True)
    page = FOLDER / "index.html"
    table = write_demo_page(page, *open_runs(asked), shown_ratio=min(asked["label_ratios"]))
    print("\nMean AUROC on the phantom target (synthetic studies, not patients)\n")
    print(table.to_string(index=False))
    print(f"\nDone in {time.monotonic() - begun:.0f} s. Where to look:")
    for path in (page, *copies):
        print(f"  {path.relative_to(PROJECT)}")
    print("  workbench lab      the same pages, live")


def plan_demo(asked: Mapping[str, Any]) -> list[Step]:
    """Return the notebooks of the demo, each with what the tour's parameters mean for it.

    So the tour comes last and finds everything made.

    Args:
        asked: parameters of the tour.
    """
    curation = {"image_size": asked["image_size"]}
    source = {"store_path": asked["source_store"], "options": asked["source_options"], **curation}
    target = {"store_path": asked["target_store"], "options": asked["target_options"], **curation}
    pretraining = [f"store={asked['source_store']}", *asked["pretraining_overrides"]]
    finetuning = {
        "pretraining": asked["pretraining"],
        "pretraining_overrides": pretraining,
        "recipe": asked["finetuning"],
        "overrides": [f"store={asked['target_store']}", *asked["finetuning_overrides"]],
        "shown_ratio": min(asked["label_ratios"]),
        **{name: asked[name] for name in ("label_ratios", "seeds", "workers")},
    }
    return [
        Step("01_curate_data", "01_curate_data-source", {"data_set": "phantom", **source}),
        Step("01_curate_data", "01_curate_data-target", {"data_set": "phantom_target", **target}),
        Step(
            "02_pretrain_refers",
            "02_pretrain_refers",
            {"recipe": asked["pretraining"], "overrides": pretraining},
        ),
        Step("05_finetune", "05_finetune", finetuning),
        Step("00_tour", "00_tour", dict(asked)),
    ]


def open_runs(asked: Mapping[str, Any]) -> tuple[Run, list[Run]]:
    """Return the pre-training and the fine-tunings: the notebooks' own calls find them finished."""
    from workbench.launch import start_training
    from workbench.train import finetune_grid

    pretraining = [f"store={asked['source_store']}", *asked["pretraining_overrides"]]
    finetuning = [f"store={asked['target_store']}", *asked["finetuning_overrides"]]
    pretrained = start_training(asked["pretraining"], pretraining).wait()
    grid = finetune_grid(
        asked["finetuning"],
        {"random": "random", "refers": pretrained},
        asked["label_ratios"],
        asked["seeds"],
        overrides=finetuning,
        workers=0,
        progress=False,
    )
    return pretrained, grid
