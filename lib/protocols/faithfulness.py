"""Whether the maps of cases show what the classifier uses: deletion and insertion against shuffled maps.

Letters: N cases.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch

from lib.data.store import Store
from lib.explain.faithfulness import faithfulness_curves, shuffle_places
from lib.metrics.mean_interval import mean_interval
from lib.objectives.label_classifier import LabelClassifier
from lib.protocols.case_maps import BATCH, CaseMaps, predict_images, show

COLUMNS = ("deletion", "insertion", "shuffled_deletion", "shuffled_insertion")


def judge_faithfulness(
    classifier: LabelClassifier,
    store: Store,
    maps: CaseMaps,
    targets: Sequence[str],
    *,
    limit: int = 100,
    steps: int = 10,
    seed: int = 0,
) -> pd.DataFrame:
    """Compute the areas under the deletion and insertion curves of some cases.

    Args:
        classifier: that the maps are of, in evaluation mode.
        store: of the cases.
        maps: the cases.
        targets: names of the classifier's targets, in the order of its outputs.
        limit: cases drawn at random; fewer where there are fewer.
        steps: of a curve.
        seed: of the draw, of the order of equal places and of the shuffled maps.

    Returns:
        The drawn cases with `COLUMNS`; shuffled are the same maps with their places in random order.
    """
    drawn = np.sort(np.random.default_rng(seed).permutation(len(maps))[:limit])
    some, generator = maps.where(drawn), torch.Generator().manual_seed(seed)
    place = torch.tensor([list(targets).index(name) for name in some.cases["finding"]])
    device = classifier.columns.device
    areas = []
    for start in range(0, len(some), BATCH):
        rows = slice(start, start + BATCH)
        images = show(store, some.cases["view_row"].to_numpy()[rows], maps.frame).to(device)
        own = torch.from_numpy(some.maps[rows].astype(np.float32))
        columns = place[rows, None].to(device)

        def probability(pictures: torch.Tensor, columns: torch.Tensor = columns) -> torch.Tensor:
            return predict_images(classifier, pictures).gather(1, columns).squeeze(1)

        for one in (own, shuffle_places(own, generator)):
            curves = faithfulness_curves(probability, images, one, steps=steps, generator=generator)
            areas.append(torch.stack(curves.areas(), dim=1).numpy())  # [n, 2]
    own, shuffled = (np.concatenate(areas[side::2]) for side in (0, 1))
    values = pd.DataFrame(np.concatenate([own, shuffled], axis=1), columns=list(COLUMNS))
    return pd.concat([some.cases, values], axis=1)


def summarise_faithfulness(cases: pd.DataFrame, *, replicates: int = 2000) -> dict[str, Any]:
    """Return the means of the areas and of their differences, with intervals over patients.

    Args:
        cases: of `judge_faithfulness`.
        replicates: resamples of patients.

    Returns:
        num_cases, and each of `COLUMNS`, "deletion - shuffled" (below 0 for a map that shows what is used)
        and "insertion - shuffled" (above 0) with estimate, low and high.
    """
    table = cases[list(COLUMNS)].astype(np.float64)
    for name in ("deletion", "insertion"):
        table[f"{name} - shuffled"] = table[name] - table[f"shuffled_{name}"]
    low, high = mean_interval(table.to_numpy(), cases["patient_id"].to_numpy(), replicates=replicates)
    return {"num_cases": len(cases)} | {
        name: {
            "estimate": round(float(table[name].mean()), 6),
            "low": round(float(low[column]), 6),
            "high": round(float(high[column]), 6),
        }
        for column, name in enumerate(table)
    }
