"""Open whatever an ablation is written in: a sweep of fine-tunings, or variants of a pre-training."""

from collections.abc import Sequence
from pathlib import Path

from workbench.variants import read_variants
from workbench.widgets.ablation_reader import AblationReader
from workbench.widgets.variant_reader import VariantReader


def open_ablation(
    name: str,
    *,
    comparator: str = "",
    overrides: Sequence[str] = (),
    replicates: int = 2000,
    root: Path | str | None = None,
) -> AblationReader | VariantReader:
    """Open a file below `workbench/recipes`, or a path; the other arguments as in `AblationReader`.

    Raises:
        FileNotFoundError: no such file.
        ValueError: it is neither a sweep nor a file of variants; says why it is no sweep.
    """
    try:
        read_variants(name)
    except ValueError:
        return AblationReader(
            name, comparator=comparator, overrides=overrides, replicates=replicates, root=root
        )
    return VariantReader(name, comparator=comparator, overrides=overrides, root=root)
