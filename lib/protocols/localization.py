"""Maps of marked cases judged against the readers' boxes: one row per case.

A number of a case is the mean over the readers who marked it. So it can be compared with how far the readers
agree, and a case that three marked weighs no more than one that one marked.

Letters: N cases, T thresholds, S side of a stored picture.
"""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from lib.explain.boxes import boxes_of_map
from lib.metrics.box_overlap import best_iou, count_matches, covered_areas
from lib.metrics.localization import contrast_to_noise, draw_boxes, map_iou, pointing
from lib.protocols.box_truth import BlindBoxes, ReaderBoxes, reader_agreement
from lib.protocols.case_maps import CaseMaps

THRESHOLDS = tuple(round(0.05 * step, 2) for step in range(2, 20))
"""Of a sweep: 0.1, 0.15 to 0.95 of a map's maximum."""

MATCH_IOUS = (0.1, 0.3, 0.5)
"""IoU from which a found box counts as a match of a marked one."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class BoxRule:
    """How a map becomes boxes.

    Attributes:
        smoothing: deviation of a Gaussian over the map, stored pixels.
        min_area: smallest region that counts, stored pixels.
    """

    smoothing: float = 0.0
    min_area: float = 0.0


def sweep_thresholds(
    maps: CaseMaps,
    truth: ReaderBoxes,
    thresholds: Sequence[float] = THRESHOLDS,
    rule: BoxRule | None = None,
) -> np.ndarray:
    """Compute the IoU of each case at each threshold: float64 `[N, T]`, NaN for a case without boxes."""
    rule = rule or BoxRule()
    ious = np.full((len(maps), len(thresholds)), np.nan)
    for row, readers in enumerate(truth.by_case):
        if readers:
            values = maps.laid(row, rule.smoothing)
            for column, threshold in enumerate(thresholds):
                corners = boxes_of_map(values, threshold, min_area=rule.min_area).corners
                ious[row, column] = _mean(covered_areas(corners, one).iou for one in readers.values())
    return ious


def choose_thresholds(
    ious: np.ndarray,
    findings: Sequence[str],
    thresholds: Sequence[float] = THRESHOLDS,
    *,
    by_finding: bool = False,
) -> dict[str, float]:
    """Choose the threshold of the largest mean IoU, on cases that nothing is judged on.

    Args:
        ious: of `sweep_thresholds`, `[N, T]`.
        findings: of the cases, `[N]`.
        thresholds: `[T]`.
        by_finding: one for each finding, else one for all (REFERS: "a fixed confidence threshold").

    Returns:
        Finding -> threshold; "" -> that of all findings together, for one that is not among these.

    Raises:
        ValueError: no case has boxes.
    """
    findings = np.asarray(findings)
    known = ~np.isnan(ious).all(axis=1)
    if not known.any():
        raise ValueError("There is no case with boxes to choose a threshold by; give a threshold.")

    def best(chosen: np.ndarray) -> float:
        return float(thresholds[int(np.argmax(ious[chosen].mean(axis=0)))])

    one = best(known)
    names = sorted(set(findings[known]))
    return {"": one} | {name: best(known & (findings == name)) if by_finding else one for name in names}


def judge_cases(
    maps: CaseMaps,
    truth: ReaderBoxes,
    blind: BlindBoxes,
    thresholds: Mapping[str, float],
    rule: BoxRule | None = None,
) -> pd.DataFrame:
    """Compute every number of every case.

    Args:
        maps: the cases.
        truth: what readers marked on them.
        blind: boxes that know nothing of the picture.
        thresholds: of `choose_thresholds`.
        rule: how a map becomes boxes.

    Returns:
        The cases in their order, and: threshold; num_readers; num_marked (boxes of a reader); marked_area and
        seen (what the readers' boxes cover, as a share of the picture, and how much of them the model sees);
        num_found; iou, best_iou, iobb; matched@<IoU> (found boxes that match); pointing, cnr, map_iou;
        center_iou, center_pointing, mean_box_iou, mean_box_pointing; reader_iou. NaN where no reader marked
        the case, or where there is no such box.
    """
    rule = rule or BoxRule()
    rows = []
    for row, (finding, readers) in enumerate(zip(maps.cases["finding"], truth.by_case, strict=True)):
        threshold = thresholds.get(finding, thresholds[""])
        values = maps.laid(row, rule.smoothing)
        found = boxes_of_map(values, threshold, min_area=rule.min_area).corners
        one = {"threshold": threshold, "num_readers": len(readers), "num_found": len(found)}
        if readers:
            by_reader = [_judge(values, found, marked, maps) for marked in readers.values()]
            one |= {name: _mean(values[name] for values in by_reader) for name in by_reader[0]}
            one["reader_iou"] = reader_agreement(readers)
            for name, boxes in (("center", blind.center), ("mean_box", blind.mean)):
                if finding in boxes:
                    box = boxes[finding]
                    one[f"{name}_iou"] = _mean(covered_areas(box, marked).iou for marked in readers.values())
                    one[f"{name}_pointing"] = _mean(_holds_middle(marked, box) for marked in readers.values())
        rows.append(one)
    columns = [*_COLUMNS[:2], "num_found", *_COLUMNS[2:]]
    return pd.concat([maps.cases, pd.DataFrame(rows).reindex(columns=columns)], axis=1)


_COLUMNS = (
    "threshold",
    "num_readers",
    "num_marked",
    "marked_area",
    "seen",
    "iou",
    "best_iou",
    "iobb",
    *(f"matched@{needed}" for needed in MATCH_IOUS),
    "pointing",
    "cnr",
    "map_iou",
    "center_iou",
    "center_pointing",
    "mean_box_iou",
    "mean_box_pointing",
    "reader_iou",
)


def _judge(values: np.ndarray, found: np.ndarray, marked: np.ndarray, maps: CaseMaps) -> dict[str, float]:
    """Judge one map and its boxes against the boxes of one reader."""
    size = maps.frame.store_size
    areas, inside = covered_areas(found, marked), draw_boxes(marked, size)
    matches = count_matches(found, marked, MATCH_IOUS)
    return {
        "num_marked": len(marked),
        "marked_area": areas.second / size**2,
        "seen": covered_areas(marked, maps.frame.window).both / areas.second,
        "iou": areas.iou,
        "best_iou": best_iou(found, marked),
        "iobb": areas.iobb,
        **{f"matched@{needed}": count for needed, count in zip(MATCH_IOUS, matches, strict=True)},
        "pointing": pointing(values, inside),
        "cnr": contrast_to_noise(values, inside),
        "map_iou": map_iou(values, inside),
    }


def _holds_middle(marked: np.ndarray, box: np.ndarray) -> float:
    """Say whether the middle of a box lies in one of the marked ones."""
    x, y = (box[0, :2] + box[0, 2:]) / 2
    return float(((marked[:, 0] <= x) & (x < marked[:, 2]) & (marked[:, 1] <= y) & (y < marked[:, 3])).any())


def _mean(values) -> float:
    return float(np.mean(list(values)))
