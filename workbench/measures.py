"""What a judged pre-training is worth, as a list: each measure with its interval and what guessing gives."""

from collections.abc import Mapping
from typing import Any, NamedTuple


class Measure(NamedTuple):
    """One number of a judged run.

    Attributes:
        title: as people read it, "text-image precision@10".
        estimate: between 0 and 1.
        low: lower end of its 95 % interval.
        high: upper end.
        chance: of guessing.
    """

    title: str
    estimate: float
    low: float
    high: float
    chance: float


def measures_of(judged: Mapping[str, Any]) -> list[Measure]:
    """Return the measures of a run, retrieval first.

    Args:
        judged: what `workbench.judging.judge_pairs` returns; parts that were not judged give nothing.
    """
    return [
        Measure(title, value["estimate"], value["low"], value["high"], chance)
        for title, value, chance in (*_retrieval(judged), *_classification(judged))
        if value["estimate"] is not None
    ]


def _retrieval(judged: Mapping[str, Any]) -> list[tuple[str, Mapping[str, float], float]]:
    found = []
    by_prompt = judged["text_image"] and judged["text_image"]["all"]
    for title, about in (("image-image", judged["image_image"]), ("text-image", by_prompt)):
        for k, value in about["precision"].items() if about else ():
            found.append((f"{title} precision@{k}", value, about["chance"]))
    for title, way in (("study to report", "study_to_report"), ("report to study", "report_to_study")):
        about = judged["study_report"] and judged["study_report"][way]
        for k, value in about["recall"].items() if about else ():
            found.append((f"{title} R@{k}", value, about["chance"][k]))
    return found


def _classification(judged: Mapping[str, Any]) -> list[tuple[str, Mapping[str, float], float]]:
    found = []
    if judged["zero_shot"]:
        found.append(("zero-shot mean AUROC", judged["zero_shot"]["ensemble"]["auroc"], 0.5))
    for ratio, about in (judged["linear_probe"] or {}).items():
        found.append((f"linear mean AUROC, {100 * float(ratio):g} % of the labels", about["auroc"], 0.5))
    return found
