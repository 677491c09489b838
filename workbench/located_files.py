"""What a run folder keeps of where its fine-tuning looks, and where.

localized/<store>-<split>-<method>.parquet        the maps, computed once (`lib.protocols.case_maps`)
localized/<store>-<split>-<method>-cases.parquet  every number of every case, as judged last
localized/<store>-<split>-<method>.json           the summary of that
localized/<store>-<split>-<method>-faithful.json  deletion and insertion curves, as measured last
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workbench.runs import Run

FOLDER = "localized"


def located_file(run: Run, about: Mapping[str, Any], ending: str) -> Path:
    """Return where something about maps is kept.

    Args:
        run: whose maps.
        about: store (its name), store_id, split, method, layer and head, as `CaseMaps.about` has them.
        ending: of the file name.
    """
    parts = [about["store"], about["store_id"][:8], about["split"], about["method"]]
    parts += [f"layer{about['layer']}"] if about["layer"] != -1 else []
    parts += [f"head{about['head']}"] if about["head"] is not None else []
    return run.folder / FOLDER / f"{'-'.join(parts)}{ending}"


def faithful_file(run: Run, about: Mapping[str, Any]) -> Path:
    """Return where the deletion and insertion curves of maps are kept."""
    return located_file(run, about, "-faithful.json")


def read_faithfulness(run: Run, about: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the curves of maps as `workbench.locating.locate` keeps them; None where it was not asked for.

    Returns:
        `about` of the maps, findings (those that were judged, none: all), and what
        `lib.protocols.faithfulness.summarise_faithfulness` returns.
    """
    path = faithful_file(run, about)
    return json.loads(path.read_text()) if path.is_file() else None
