"""The demo: curate, pre-train, fine-tune and tour on phantom studies, headless, and one page of figures."""

import time
from typing import Any

from workbench.notebooks import NOTEBOOKS, PROJECT, run_notebook
from workbench.parameters import read_parameters
from workbench.runs import Run

FOLDER = PROJECT / "outputs" / "demo"
STEPS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("01_curate_data", "01_curate_data", {}),
    (
        "01_curate_data",
        "01_curate_data-target",
        {"data_set": "phantom_target", "store_path": "outputs/stores/phantom_target"},
    ),
    ("02_pretrain_refers", "02_pretrain_refers", {}),
    ("05_finetune", "05_finetune", {}),
    ("00_tour", "00_tour", {}),
)
"""Notebook, name of its executed copy, parameters that differ from the defaults."""


def run_demo() -> None:
    """Run the notebooks in order, write the page, print the result table and where everything is.

    Everything is kept: a second call only looks at what is there.
    """
    from workbench.demo_page import write_demo_page

    begun = time.monotonic()
    copies = []
    for number, (notebook, name, parameters) in enumerate(STEPS, start=1):
        print(f"[{number}/{len(STEPS)}] {name} ...", end=" ", flush=True)
        started = time.monotonic()
        copies.append(run_notebook(notebook, parameters, output=FOLDER / f"{name}.ipynb"))
        print(f"{time.monotonic() - started:.0f} s", flush=True)
    page = FOLDER / "index.html"
    pretrained, grid, shown_ratio = _open_runs()
    table = write_demo_page(page, pretrained, grid, shown_ratio=shown_ratio)
    print("\nMean AUROC on the phantom target (synthetic studies, not patients)\n")
    print(table.to_string(index=False))
    print(f"\nDone in {time.monotonic() - begun:.0f} s. Where to look:")
    for path in (page, *copies):
        print(f"  {path.relative_to(PROJECT)}")
    print("  workbench lab      the same pages, live")


def _open_runs() -> tuple[Run, list[Run], float]:
    """Return the pre-training, the fine-tunings, and the label ratio to look at closely.

    All of it is finished: the same calls as in the notebooks return it.
    """
    from workbench.launch import start_training
    from workbench.train import finetune_grid

    asked = {name: one.default for name, one in read_parameters(NOTEBOOKS / "05_finetune.ipynb").items()}
    pretrained = start_training(asked["pretraining"]).wait()
    methods = {"random": "random", "refers": pretrained}
    ratios, seeds = asked["label_ratios"], asked["seeds"]
    grid = finetune_grid(asked["recipe"], methods, ratios, seeds, workers=0, progress=False)
    return pretrained, grid, asked["shown_ratio"]
