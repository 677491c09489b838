"""What `workbench variants` does and says."""

from collections.abc import Sequence

from workbench.judging import JudgeConfig
from workbench.tables import judgement_table
from workbench.variants import find_variants, judge_variants, train_variants, training_command


def do_variants(
    name: str, overrides: Sequence[str], config: JudgeConfig, *, recipe: str = "", look: bool = False
) -> None:
    """Train every variant that is missing, judge all, print their table.

    Args:
        name: of the file of variants, or its path.
        overrides: of all variants.
        config: how they are judged.
        recipe: in place of that of the file.
        look: train nothing, and say what is missing.
    """
    variants = (find_variants if look else train_variants)(name, recipe, overrides)
    judged = judge_variants(variants, config)
    if judged:
        print(judgement_table(judged).to_string())
    missing = [one.name for one in variants if one.run is None]
    if missing:
        print(f"Not trained yet: {', '.join(missing)}\n  {training_command(name, recipe, overrides)}")
