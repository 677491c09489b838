"""Runs are audited before they start: a pre-training that has seen the test patients is the classic leak."""

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lib.data.audit import LeakFound
from lib.data.ingest import ingest
from lib.data.readers import open_reader
from lib.data.splits import make_manifest
from lib.data.store import Store
from workbench.audits import audit_stores
from workbench.cli import app
from workbench.manifests import manifest_path
from workbench.train import finetune, pretrain


@pytest.fixture(scope="module")
def pretrained(world):
    return pretrain(world.pretrain, ["train.steps=4"], root=world.root, progress=False)


def copy_with_another_split(store):
    """Copy a store; its manifest of seed 0 gets the split of seed 1, as if the other came from elsewhere."""
    copy = Path(store).with_name("copy")
    shutil.copytree(store, copy)
    opened = Store(copy)
    make_manifest(opened, seed=1).save(manifest_path(opened, 0))
    return str(copy)


def overrides(world, pretrained, *more):
    """Fine-tune on the very store of the pre-training."""
    source = world.root.parent / "source"
    return [f"store={source}", f"init={pretrained.folder}", "train.steps=4", *more]


def test_another_split_of_the_same_store_is_refused(world, pretrained):
    settings = overrides(world, pretrained, "split_seed=1")
    with pytest.raises(LeakFound, match="same patient, test of source and pretraining of source"):
        finetune(world.finetune, settings, root=world.root, progress=False)


def test_a_reason_lets_it_go_on_and_is_kept(world, pretrained):
    settings = overrides(world, pretrained, "split_seed=1", "allow_leak=rehearsal")
    run = finetune(world.finetune, settings, root=world.root, progress=False)
    record = json.loads((run.folder / "audit.json").read_text())
    assert record["allow_leak"] == "rehearsal" == run.config["allow_leak"]
    assert {"same patient", "same study", "identical image"} <= {one["kind"] for one in record["findings"]}


def test_the_same_split_leaks_nothing_into_the_test(world, pretrained):
    run = finetune(world.finetune, overrides(world, pretrained), root=world.root, progress=False)
    record = json.loads((run.folder / "audit.json").read_text())
    assert record == {"findings": [], "not audited": [], "allow_leak": ""}


def test_weights_of_unknown_data_are_said_to_be_so(world, pretrained, tmp_path):
    source = world.root.parent / "source"
    moved = world.root.parent / "moved"
    settings = [f"init={pretrained.folder}", "train.steps=4", "seed=7"]
    source.rename(moved)
    try:
        run = finetune(world.finetune, settings, root=world.root, progress=False)
    finally:
        moved.rename(source)
    (reason,) = json.loads((run.folder / "audit.json").read_text())["not audited"]
    assert "could not be audited" in reason and "source" in reason


def test_an_audit_is_made_once(world):
    target = world.root.parent / "target"
    first = audit_stores(target)
    (kept,) = target.parent.glob("target.audit-*.json")
    before = kept.stat().st_mtime_ns
    assert audit_stores(target) == first and kept.stat().st_mtime_ns == before


def test_the_verb_lists_what_it_found_and_fails_on_a_leak(world):
    source, target = (str(world.root.parent / name) for name in ("source", "target"))
    clean = CliRunner().invoke(app, ["audit", target])
    assert clean.exit_code == 0
    assert "Nothing found." in clean.output
    same = CliRunner().invoke(app, ["audit", target, "--pretraining", target])
    assert same.exit_code == 0  # one manifest: its borders are kept
    copied = CliRunner().invoke(app, ["audit", copy_with_another_split(target), "--pretraining", target])
    assert copied.exit_code == 1
    assert "LEAK: same patient, test of copy and pretraining of target" in copied.output
    assert CliRunner().invoke(app, ["audit", target, "--pretraining", source]).exit_code == 0
    assert CliRunner().invoke(app, ["audit", target, source]).exit_code == 0  # the same, shorter


def test_a_store_of_boxes_is_judged_by_whole(world, tmp_path):
    """All boxed studies of a store itself: those in its training were learnt from."""
    reader = open_reader("phantom", studies=30, image_size=48)
    boxed = str(ingest(reader, tmp_path / "boxed", image_size=48, workers=0, progress=False).path)
    target = str(world.root.parent / "target")
    found = CliRunner().invoke(app, ["audit", boxed, "--boxes", boxed])
    assert found.exit_code == 1
    assert "LEAK: same patient, train of boxed and boxes of boxed" in found.output
    assert CliRunner().invoke(app, ["audit", target, "--boxes", boxed]).exit_code == 0
    with pytest.raises(ValueError, match="target has no boxes"):
        audit_stores(boxed, boxes=[target])


def test_a_named_manifest_counts(world, tmp_path):
    target = Store(world.root.parent / "target")
    make_manifest(target, seed=5).save(tmp_path / "mine.json")
    arguments = ["audit", str(target.path), str(target.path), "--manifest", str(tmp_path / "mine.json")]
    found = CliRunner().invoke(app, arguments)
    assert found.exit_code == 1 and "LEAK: same patient" in found.output
    alone = audit_stores(target.path, manifest=tmp_path / "mine.json")
    assert not any(finding.is_leak for finding in alone)
