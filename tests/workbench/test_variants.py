"""Files of variants: read, found where they are trained, trained where they are not."""

import contextlib

import pytest
import yaml

from lib.protocols.retrieval import RetrievalConfig
from workbench.cli import main
from workbench.figures.variant_table import variant_table
from workbench.judging import JudgeConfig
from workbench.plan import plan
from workbench.published import CONVIRT_TABLE_3
from workbench.recipe import RECIPES, known_recipes
from workbench.runs import find_finished
from workbench.sweeps import read_sweep
from workbench.variants import (
    find_variants,
    judge_variants,
    read_variants,
    train_variants,
    training_command,
)
from workbench.variants_command import do_variants

pytestmark = pytest.mark.usefixtures("one_thread")

TABLE_3 = "sweeps/convirt_table3"


@pytest.fixture
def small(convirt, tmp_path):
    """Return a file of two variants of the tiny ConVIRT, the first of which is trained."""
    path = tmp_path / "small.yaml"
    changes = {"ConVIRT (default)": [], "linear proj.": ["objective.projection=linear"]}
    path.write_text(yaml.safe_dump({"recipe": convirt.made.recipe, "variants": changes}))
    return str(path)


def test_the_rows_are_those_of_the_papers_table():
    assert list(read_variants(TABLE_3).overrides) == [row.setting for row in CONVIRT_TABLE_3]
    assert TABLE_3 not in known_recipes()  # it cannot be trained by itself


def test_every_variant_fits_its_recipe_and_changes_one_thing(convirt):
    variants = read_variants(TABLE_3, convirt.made.recipe)
    fits = ["loader.batch_size=32"]
    plain = plan(variants.recipe, fits)
    for changes in variants.overrides.values():
        config = plan(variants.recipe, [*fits, *changes])
        differs = [
            f"{section}.{key}={value}"
            for section in ("objective", "loader")
            for key, value in config[section].items()
            if plain[section][key] != value
        ]
        assert differs == list(changes)


def test_it_says_what_it_is():
    text = (RECIPES / f"{TABLE_3}.yaml").read_text()
    for word in ("# Reproduces:", "# Command:", "# Cost:", "# Expected:"):
        assert word in text
    assert text.isascii()


def test_what_is_trained_is_found_and_what_is_not_has_none(convirt, small):
    default, linear = find_variants(small, root=convirt.run.folder.parent)
    assert default.run.id == convirt.run.id and default.changes == ()
    assert linear.run is None and linear.changes == ("objective.projection=linear",)
    default, _ = find_variants(small, "", ["seed=5"], root=convirt.run.folder.parent)
    assert default.run is None
    assert training_command(small) == f"workbench variants {small}"
    assert training_command("a b", "c", ["seed=5"]) == "workbench variants 'a b' seed=5 --recipe c"


def test_what_is_missing_is_trained_and_judged(convirt, small, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("WORKBENCH_RUNS", str(tmp_path / "runs"))
    short = ["train.steps=4", "train.validate_every=4", "train.keep_every=0"]
    trained = train_variants(small, "", short, root=tmp_path / "runs")
    assert [one.run.state for one in trained] == ["finished", "finished"]
    assert trained[1].run.config["objective"]["projection"] == "linear"
    config = JudgeConfig(
        retrieval=RetrievalConfig(num_queries=2, num_candidates=5, ks=[1]),
        prompts=convirt.made.prompts,
        min_positives=1,
        label_ratios=[0.01],
    )
    judged = judge_variants(trained, config)
    assert [judged[one.name]["run"] for one in trained] == [one.run.id for one in trained]
    # The same as a command: nothing is trained again, and each has its column.
    capsys.readouterr()
    do_variants(small, short, config)
    table = capsys.readouterr().out
    assert all(one.name in table.splitlines()[0] for one in trained)
    assert "linear mean AUROC, 1 % of the labels" in table and "Not trained yet" not in table
    assert len(list((tmp_path / "runs").iterdir())) == 2
    assert find_finished(plan(convirt.made.recipe, short)).id == trained[0].run.id


def test_the_table_has_ours_above_the_papers(convirt, small):
    variants = find_variants(small, root=convirt.run.folder.parent)
    value = {"estimate": 0.5, "low": 0.4, "high": 0.6}
    judged = {
        "image_image": {"precision": {"10": value}, "chance": 0.1},
        "text_image": None,
        "study_report": None,
        "zero_shot": None,
        "linear_probe": {"0.01": {"auroc": value}},
    }
    table = variant_table(variants, {"ConVIRT (default)": judged}, note="tiny & small")
    first, second = table.split("<tr>")[2:]
    assert first.count("50.0 [40.0, 60.0]") == 2 and "not judged" in first
    assert "paper: 90.7" in first and "paper: 42.9" in first and "paper: 57.5" in first
    assert second.count("not trained") == 3 and "paper: 55.8" in second
    assert "objective.projection=linear" in second and "tiny &amp; small" in table
    assert "not trained; this" not in table
    table = variant_table(variants, {"ConVIRT (default)": judged}, command="train <all>")
    assert "1 of 2 are not trained" in table and "<code>train &lt;all&gt;</code>" in table


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("recipe: convirt/phantom\n", "must hold `recipe`, a name, and `variants`"),
        ("- 1\n", "must hold `recipe`"),
        ("recipe: a\nvariants: {one: []}\nmore: 1\n", "nothing else"),
        ("recipe: a\nvariants: {one: seed=1}\n", "variant 'one' must be a list"),
        ("recipe: [\n", "is no YAML"),
    ],
)
def test_other_files_are_refused(tmp_path, text, named, capsys):
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    with pytest.raises(ValueError, match=named):
        read_variants(str(path))
    with pytest.raises(SystemExit, match="1"):
        main(["variants", str(path)])
    assert named in capsys.readouterr().err


def test_an_unknown_file_is_answered_with_the_known_ones():
    with pytest.raises(FileNotFoundError, match=f"Known: {TABLE_3}[.]"):  # no sweeps, which are no variants
        read_variants("sweeps/convirt_table4")
    with pytest.raises(FileNotFoundError) as caught:
        read_sweep("sweeps/table_1")
    assert TABLE_3 not in str(caught.value)


def test_a_sweep_and_a_file_of_variants_are_told_apart(small):
    with pytest.raises(ValueError, match=f"workbench variants {TABLE_3}"):
        read_sweep(TABLE_3)
    with pytest.raises(ValueError, match="workbench sweep sweeps/table1_phantom"):
        read_variants("sweeps/table1_phantom")


def test_looking_trains_nothing_and_says_what_is_missing(convirt, small, capsys, monkeypatch):
    monkeypatch.setenv("WORKBENCH_RUNS", str(convirt.run.folder.parent))
    before = sorted(convirt.run.folder.parent.iterdir())
    with contextlib.suppress(SystemExit):
        main(["variants", small, "seed=5", "--look"])
    said = capsys.readouterr().out
    assert said == f"Not trained yet: ConVIRT (default), linear proj.\n  workbench variants {small} seed=5\n"
    assert sorted(convirt.run.folder.parent.iterdir()) == before
