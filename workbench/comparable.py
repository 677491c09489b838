"""Which fine-tunings may stand in one table: the same test images, targets and settings."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from lib.config import config_hash
from workbench.records import Record
from workbench.run_config import WEIGHTS_ID
from workbench.runs import Run

NOT_COMPARED = (
    "recipe", "store", "manifest", "init", "init_id", WEIGHTS_ID, "method", "seed", "encoder", "device",
)  # fmt: skip
"""Keys of a config in which two runs may differ and still be compared: the initial weights, the encoder and
the seed are the question; test images, targets and fine-tuning must be the same."""

OTHER_VERSION = (
    "{file} has no {key}: the run is of another version, or was cut off. Remove its folder and fine-tune "
    "again."
)


@dataclasses.dataclass
class Group:
    """Fine-tunings that may be compared.

    Attributes:
        names: recipe, settings (4 hex; other overrides give others), label_ratio, synthetic.
        targets: what is predicted.
        task: of the fine-tunings.
        average_by: what their predictions are averaged over, "" for images.
        methods: method -> seed -> run.
        num_images: run id -> test images that its result.json counts.
        origins: method -> the weights that it began with, and its encoder.
    """

    names: dict[str, Any]
    targets: list[str]
    task: str
    average_by: str
    methods: dict[str, dict[int, Run]] = dataclasses.field(default_factory=dict)
    num_images: dict[str, int] = dataclasses.field(default_factory=dict)
    origins: dict[str, tuple] = dataclasses.field(default_factory=dict)

    def add(self, record: Record) -> None:
        """Take a run, oldest first; a later one takes the place of an earlier one of the same seed.

        A later one from other initial weights starts the method anew: no mean mixes two pre-trainings.
        """
        run, config = record.run, record.run.config
        method = config["method"]
        origin = (config["init_id"], config.get(WEIGHTS_ID, ""), config["encoder"])
        if self.origins.get(method) != origin:
            self.origins[method], self.methods[method] = origin, {}
        self.methods[method][config["seed"]] = run
        if "num_images" in record.result:
            self.num_images[run.id] = record.result["num_images"]


def comparable_groups(records: Sequence[Record], notes: dict[str, str]) -> list[Group]:
    """Put the finished fine-tunings together that may be compared.

    Args:
        records: of any runs.
        notes: gets the runs that belong nowhere, id -> reason.
    """
    groups: dict[tuple, Group] = {}
    seen: dict[str, tuple[dict, str]] = {}
    for record in sorted(records, key=lambda one: one.created):
        config = record.run.config
        if config.get("task") != "finetune" or record.state != "finished":
            continue
        try:
            place, group = _place(record, seen)
            groups.setdefault(place, group).add(record)
        except KeyError as error:
            file = record.run.folder / ("result.json" if error.args[0] == "targets" else "config.yaml")
            notes[record.run.id] = OTHER_VERSION.format(file=file, key=error.args[0])
    return [group for group in groups.values() if group.methods]


def _place(record: Record, seen: dict[str, tuple[dict, str]]) -> tuple[tuple, Group]:
    """Return what a run has in common with those that it may be compared with, and an empty group for it.

    Args:
        record: of a finished fine-tuning.
        seen: recipe -> the last settings and their hash; gets those of this run. Runs of one recipe mostly
            have the same ones, and to compare is cheaper than to hash.
    """
    config = record.run.config
    settings = {key: value for key, value in config.items() if key not in NOT_COMPARED}
    # The draw of the labels goes with the seed; label ratios are rows of one table.
    protocol = {key: value for key, value in settings.pop("finetune").items() if key != "draw"}
    label_ratio, targets = protocol.pop("label_ratio"), record.result["targets"]
    asked = {**settings, "finetune": protocol, "targets": targets}
    before, key = seen.get(config["recipe"], ({}, ""))
    if asked != before:
        key = config_hash(asked)[:4]
        seen[config["recipe"]] = asked, key
    names = {
        "recipe": config["recipe"],
        "settings": key,
        "label_ratio": label_ratio,
        "synthetic": config["synthetic"],
    }
    # Runs from before averages have no average_by.
    group = Group(names, targets, protocol["task"], protocol.get("average_by", ""))
    return (config["recipe"], key, label_ratio), group
