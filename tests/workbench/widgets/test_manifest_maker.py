"""Making a split: what is asked for, what it gives, what freezing does."""

import html
import re
import shutil

import pytest

from lib.data.audit import LEAKS, WARNINGS, Finding
from lib.data.splits import Manifest, make_manifest
from lib.data.store import Store
from workbench.manifests import SplitPlan, manifest_path
from workbench.widgets.manifest_maker import MEANING, ManifestMaker


@pytest.fixture
def store(flagged_store, tmp_path):
    """Return the flagged studies in a folder where nothing was frozen yet."""
    shutil.copytree(flagged_store.path, tmp_path / "phantom")
    return Store(tmp_path / "phantom")


@pytest.fixture
def maker(store):
    return ManifestMaker(store)


def words(text):
    return html.unescape(re.sub(r"<[^>]*>", " ", text))


def frozen_files(store):
    return sorted(path.name for path in store.path.parent.glob("*.split-*.json"))


def test_nothing_is_written_before_somebody_freezes(maker, store):
    maker.live()
    maker.change(seed=5)
    maker.preview()
    assert frozen_files(store) == []


def test_freezing_saves_audits_and_says_how_to_use_it(maker, store):
    maker.change(seed=5)
    maker.freeze()
    assert maker.path == manifest_path(store, 5)
    assert Manifest.load(maker.path, store).id == make_manifest(store, seed=5).id == maker.manifest.id
    said = words(maker.report())
    assert f"Frozen: {maker.path.name}" in said
    assert f"manifest: {maker.path}" in said
    assert "pictures with boxes are in train of phantom: a localisation must not be judged by them" in said


def test_the_page_goes_on_with_what_was_frozen_last(maker, store):
    assert maker.frozen().seed == 0  # nobody froze anything: that of the parameters, saved for later pages
    assert frozen_files(store) == [manifest_path(store, 0).name]
    maker.change(seed=7)
    assert maker.frozen().seed == 0  # asked for is not frozen
    assert "Frozen" not in maker.report()  # nobody pressed the button
    maker.freeze()
    assert maker.frozen().seed == 7


def test_the_values_of_the_page_are_the_first(store):
    maker = ManifestMaker(store, seed=3, leave_out=["blank"])
    manifest = maker.frozen()
    assert (manifest.seed, manifest.left_out) == (3, ("blank",))
    with pytest.raises(ValueError, match="no flag 'odd'"):
        ManifestMaker(store, leave_out=["odd"]).frozen()


def test_the_preview_counts_the_splits_and_what_is_in_none(maker, store):
    maker.change(leave_out=("inverted", "blank"))
    said = words(maker.preview())
    unused = int((maker.manifest.split < 0).sum())
    assert unused >= 2
    for name in ("train", "validation", "test"):
        assert re.search(rf"{name}\s+{len(maker.manifest.rows(name))}\s", said)
    assert re.search(rf"no split\s+{unused}\s", said)
    assert "left out: inverted, blank" in said
    assert "fewer than 10 in the test" in said


def test_what_cannot_be_is_said_and_cannot_be_frozen(maker, store):
    maker.change(shares=(70, 10, 25))
    assert "70 + 10 + 25 = 105" in words(maker.preview())
    with pytest.raises(ValueError, match="must make 100"):
        maker.freeze()
    maker.change(shares=(70, 10, 20))
    assert maker.problem == ""


def test_a_part_that_is_empty_is_no_obstacle(maker):
    maker.change(shares=(80, 0, 20))
    maker.freeze()
    assert len(maker.frozen().rows("validation")) == 0


def test_the_static_twin_freezes_what_was_asked_for(maker, store):
    said = words(maker.static())
    assert frozen_files(store) == [manifest_path(store, 0).name]
    assert "Who is in which split" in said and "Frozen:" in said


def test_the_static_twin_keeps_another_manifest_and_shows_that_one(store):
    make_manifest(store, seed=4).save(manifest_path(store, 0))
    maker = ManifestMaker(store)
    said = words(maker.static())
    assert "is another split than these values give now; it was kept" in said
    assert "seed 4" in said
    assert maker.frozen().seed == 4


def test_every_finding_has_words_and_a_leak_says_what_follows(maker):
    assert set(MEANING) == {*LEAKS, *WARNINGS}
    maker.freeze()
    maker.findings = [Finding(kind, "a and b", 3, ("<x>",)) for kind in (*LEAKS, *WARNINGS)]
    said = maker.report()
    assert words(said).count("LEAK: 3 ") == words(said).count("No training will start") == len(LEAKS)
    assert "<x>" not in said
    maker.findings = []
    assert "Audit: nothing found." in maker.report()


class Shell:
    """The widget of a maker, its controls by what they are."""

    def __init__(self, maker):
        numbers, left_out, self.preview, row, self.report = maker.live().children
        self.seed, *self.shares = numbers.children
        self.flags = left_out.children[1:]
        self.name, self.freeze, self.place = row.children


def test_the_widget_asks_shows_and_freezes(maker, store):
    shell = Shell(maker)
    assert [box.description for box in shell.flags] == ["identical (1)", "inverted (2)", "blank (1)"]
    shell.seed.value = 9
    shell.flags[1].value = True
    assert maker.plan == SplitPlan(seed=9, leave_out=("inverted",))
    assert "seed 9" in shell.preview.value
    assert shell.place.value == maker.plan.path(store).name
    shell.freeze.click()
    assert frozen_files(store) == [shell.place.value]
    assert "Frozen:" in shell.report.value


def test_the_widget_refuses_in_words(maker, store):
    shell = Shell(maker)
    shell.shares[2].value = 30
    assert "= 110" in shell.preview.value and shell.freeze.disabled
    shell.shares[0].value = 60
    assert not shell.freeze.disabled
    make_manifest(store, seed=4).save(SplitPlan(name="mine").path(store))
    shell.name.value = "mine"
    shell.freeze.click()
    assert "is there already" in shell.report.value
    assert Manifest.load(SplitPlan(name="mine").path(store)).seed == 4
    shell.name.value = "other"
    assert "is there already" not in shell.report.value
    shell.freeze.click()
    assert len(frozen_files(store)) == 2
