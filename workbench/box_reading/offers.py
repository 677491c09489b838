"""What a person can choose in the box explorer, and why something cannot be chosen."""

from typing import Any

from lib.explain import METHODS
from lib.explain.explain import takes
from workbench.box_reading.map_table import MapTable
from workbench.box_reading.marked_cases import SIZES, Wanted
from workbench.box_reading.orders import ORDERS

Offer = list[tuple[str, Any]]
"""What a menu shows and what it means, in its order."""

METHOD_NAMES = {
    "cam": "CAM (of the paper)",
    "grad_cam": "Grad-CAM",
    "grad_cam_plus_plus": "Grad-CAM++",
    "eigen_cam": "Eigen-CAM",
    "layer_cam": "LayerCAM",
    "attention": "attention",
    "rollout": "attention rollout",
    "relevance": "relevance",
}
SIZE_NAMES = {"small": "small (below 2 %)", "medium": "medium (2 to 10 %)", "large": "large (over 10 %)"}


def menus(table: MapTable) -> dict[str, Offer]:
    """Return name -> menu: finding, reader, size, order, method, layer, head.

    Findings that are marked but that no model knows are offered too, for a person looks for them; they are
    refused in words.
    """
    cases = table.cases
    counts = cases.table["finding"].value_counts()
    foreign = sorted(set(cases.store.boxes["finding"]) - set(counts.index))
    fitting = [name for name in METHODS if any(name in source.methods for source in table.sources)]
    depth = max(source.depth for source in table.sources)
    heads = max(source.num_heads for source in table.sources)
    return {
        "finding": [
            (f"every finding ({len(cases):,})", ""),
            *((f"{name} ({counts[name]:,})", name) for name in sorted(counts.index)),
            *((f"{name} (no map)", name) for name in foreign),
        ],
        "reader": [("every reader", ""), *((f"reader {name}", name) for name in cases.readers)],
        "size": [("every size", ""), *((SIZE_NAMES[name], name) for name in SIZES)],
        "order": [
            (words, name)
            for name, words in ORDERS.items()
            if (name != "models disagree" or len(table.sources) > 1)
            and (name != "readers disagree" or len(cases.readers) > 1)
        ],
        "method": sorted(((METHOD_NAMES.get(name, name), name) for name in fitting), key=_place_of_method),
        "layer": [("last layer", -1), *((f"layer {number + 1}", number) for number in range(depth))],
        "head": [("mean of all heads", None), *((f"head {number + 1}", number) for number in range(heads))],
    }


def looks_at_layers(method: str) -> tuple[bool, bool]:
    """Return whether a method looks at one layer, and whether at one head."""
    return "layer" in takes(method), "head" in takes(method)


def refusal(table: MapTable, wanted: Wanted) -> str:
    """Say why there is no such case at all; "" where there may be some."""
    cases, first = table.cases, table.sources[0]
    if wanted.finding and wanted.finding not in set(cases.table["finding"]):
        if all(wanted.finding not in source.targets for source in table.sources):
            known = ", ".join(first.targets)
            return f"No model here was trained on {wanted.finding!r}. {first.name} knows {known}."
        return f"No picture of the {first.split} split has a reader's box of {wanted.finding!r}."
    if wanted.reader and wanted.reader not in cases.readers:
        return f"Nobody called {wanted.reader!r} marked these pictures; {', '.join(cases.readers)} did."
    if wanted.size and wanted.size not in SIZES:
        return f"There is no size {wanted.size!r}; there are {', '.join(SIZES)}."
    return ""


def why_unmarked(table: MapTable, name: str) -> str:
    """Say why there is no case of that view, study or patient."""
    store, split = table.cases.store, table.sources[0].split
    names = [store.views["view_id"], store.studies["study_id"], store.studies["patient_id"]]
    if any((column == name).any() for column in names):
        return (
            f"{name} is not in the {split} split, or no reader has a box in it: there is nothing to compare."
        )
    return f"There is no view, study or patient {name!r}."


def _place_of_method(offer: tuple[str, str]) -> int:
    return list(METHOD_NAMES).index(offer[1]) if offer[1] in METHOD_NAMES else len(METHOD_NAMES)
