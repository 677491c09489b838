"""Whether the maps of cases show what the classifier uses: deletion and insertion against shuffled maps.

Letters: N cases, T steps of a curve.
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
"""Areas under the curves; the points of a curve have columns such as "deletion@0.3", 0.3 of the places."""


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
    """Compute the deletion and insertion curves of some cases, and the areas under them.

    Args:
        classifier: that the maps are of, in evaluation mode.
        store: of the cases.
        maps: the cases.
        targets: names of the classifier's targets, in the order of its outputs.
        limit: cases drawn at random; fewer where there are fewer.
        steps: of a curve.
        seed: of the draw, of the order of equal places and of the shuffled maps.

    Returns:
        The drawn cases with `COLUMNS` and the points of the curves; shuffled are the same maps with their
        places in random order.
    """
    drawn = np.sort(np.random.default_rng(seed).permutation(len(maps))[:limit])
    some, generator = maps.where(drawn), torch.Generator().manual_seed(seed)
    place = torch.tensor([list(targets).index(name) for name in some.cases["finding"]])
    device = classifier.columns.device
    found: dict[str, list[np.ndarray]] = {name: [] for name in COLUMNS}
    for start in range(0, len(some), BATCH):
        rows = slice(start, start + BATCH)
        images = show(store, some.cases["view_row"].to_numpy()[rows], maps.frame).to(device)
        own = torch.from_numpy(some.maps[rows].astype(np.float32))
        columns = place[rows, None].to(device)

        def probability(pictures: torch.Tensor, columns: torch.Tensor = columns) -> torch.Tensor:
            return predict_images(classifier, pictures).gather(1, columns).squeeze(1)

        for prefix, one in (("", own), ("shuffled_", shuffle_places(own, generator))):
            curves = faithfulness_curves(probability, images, one, steps=steps, generator=generator)
            for kind, area in zip(("deletion", "insertion"), curves.areas(), strict=True):
                points = torch.cat([area[:, None], getattr(curves, kind)], dim=1)  # [n, 1 + T + 1]
                found[prefix + kind].append(points.numpy())
    shares = [f"{step / steps:g}" for step in range(steps + 1)]
    values = [
        pd.DataFrame(np.concatenate(parts), columns=[name, *(f"{name}@{share}" for share in shares)])
        for name, parts in found.items()
    ]
    return pd.concat([some.cases, *values], axis=1)


def summarise_faithfulness(cases: pd.DataFrame, *, replicates: int = 2000) -> dict[str, Any]:
    """Return the means of the areas, of their differences and of the curves, with intervals over patients.

    Args:
        cases: of `judge_faithfulness`.
        replicates: resamples of patients.

    Returns:
        num_cases; num_patients; each of `COLUMNS`, "deletion - shuffled" (below 0 for a map that shows what
        is used) and "insertion - shuffled" (above 0) with estimate, low and high; shares (of the places that
        were taken away or given back); curves: each of `COLUMNS` with lists of estimate, low and high.
    """
    shares = [name.partition("@")[2] for name in cases if name.startswith("deletion@")]
    points = {name: [f"{name}@{share}" for share in shares] for name in COLUMNS}
    table = cases[[*COLUMNS, *(point for own in points.values() for point in own)]].astype(np.float64)
    for name in ("deletion", "insertion"):
        table[f"{name} - shuffled"] = table[name] - table[f"shuffled_{name}"]
    low, high = mean_interval(table.to_numpy(), cases["patient_id"].to_numpy(), replicates=replicates)
    bounds = pd.DataFrame({"estimate": table.mean(), "low": low, "high": high}).round(6)
    areas = [name for name in table if "@" not in name]
    return {
        "num_cases": len(cases),
        "num_patients": int(cases["patient_id"].nunique()),
        **{name: bounds.loc[name].to_dict() for name in areas},
        "shares": [float(share) for share in shares],
        "curves": {name: bounds.loc[own].to_dict("list") for name, own in points.items()},
    }
