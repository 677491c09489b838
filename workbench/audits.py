"""The audit of what a run would learn from and be judged on: made once, kept beside the store."""

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import lib.data.audit
import lib.data.curation.copies
import lib.data.curation.fingerprint
from lib.atomic import write_json
from lib.data.audit import Finding, Part, audit, box_part, parts_of, pretraining_parts, refuse_leaks
from lib.data.splits import SPLITS, Manifest
from lib.data.store import Store
from lib.protocols.finetune import RANDOM
from workbench.inputs import open_data, resolve_place
from workbench.manifests import freeze_manifest, manifest_path
from workbench.runs import Run

AUDIT = "audit.json"
"""What a run folder keeps of its audit."""


def audit_stores(
    target: Path | str,
    pretraining: Sequence[Path | str] = (),
    *,
    boxes: Sequence[Path | str] = (),
    manifest: Path | str | None = None,
    split_seed: int = 0,
) -> list[Finding]:
    """Audit a store, what was pre-trained on, and what boxes are judged by; missing manifests are made.

    Args:
        target: the store of the fine-tuning, or the only one.
        pretraining: stores of pre-trainings.
        boxes: stores with boxes of their own; nothing may have been learnt from their boxed studies.
        manifest: of the target, where it is not the one beside it.
        split_seed: of the other manifests.
    """
    store = Store(resolve_place(str(target)))
    frozen = Manifest.load(manifest, store) if manifest else freeze_manifest(store, split_seed)
    parts = parts_of(store, frozen)
    parts += [box_part(Store(resolve_place(str(place)))) for place in boxes]
    for place in pretraining:
        other = Store(resolve_place(str(place)))
        parts += pretraining_parts(other, freeze_manifest(other, split_seed))
    return audit_once(parts)


def freeze_and_audit(store: Store) -> str:
    """Make the manifest of seed 0 beside a store and audit it; return what to tell a person.

    A data set whose own split leaks, or that is too small for one, is still a store: it is said and no error.
    """
    card = store.path / "card.md"
    try:
        manifest = freeze_manifest(store, 0)
    except ValueError as error:
        return f"card: {card}\nNo split was made: {error}"
    path = manifest_path(store, 0)
    sizes = ", ".join(f"{split} {len(manifest.rows(split))}" for split in SPLITS)
    found = describe_findings(audit_once(parts_of(store, manifest)))
    return f"card: {card}\nmanifest: {path} ({sizes} studies)\naudit: {found}"


def describe_findings(findings: Sequence[Finding]) -> str:
    """Return the findings, a line each, leaks marked."""
    lines = [f"{'LEAK' if finding.is_leak else 'warning'}: {finding}" for finding in findings]
    return "\n".join(lines) or "Nothing found."


def audit_run(config: Mapping[str, Any], run_dir: Path) -> None:
    """Audit what a run is about to do, record what was found, refuse to go on with a leak.

    A fine-tuning from a run's weights is audited against the data of that pre-training too.

    Raises:
        LeakFound: a leak, and the config gives no `allow_leak`.
    """
    store, manifest = open_data(config)
    parts, unseen = parts_of(store, manifest), []
    for pretraining in _pretrainings(config):
        try:
            parts += pretraining_parts(*open_data(pretraining))
        except (FileNotFoundError, ValueError) as error:
            unseen.append(f"The data of the pre-training could not be audited: {error}")
    findings = audit_once(parts)
    allowed = config.get("allow_leak", "")
    record = {"findings": [dataclasses.asdict(one) for one in findings], "not audited": unseen}
    write_json(run_dir / AUDIT, {**record, "allow_leak": allowed})
    refuse_leaks(findings, allowed)


def audit_once(parts: Sequence[Part]) -> list[Finding]:
    """Audit these parts, or read what an earlier audit of the very same ones found."""
    first = parts[0].store.path
    path = first.with_name(f"{first.name}.audit-{_digest(parts)}.json")
    if path.is_file():
        values = json.loads(path.read_text(encoding="utf-8"))
        return [Finding(**{**value, "examples": tuple(value["examples"])}) for value in values]
    findings = audit(parts)
    write_json(path, [dataclasses.asdict(finding) for finding in findings])
    return findings


def _pretrainings(config: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the configs of the pre-trainings that a run starts from: none or one."""
    init = config.get("init", RANDOM)
    folder = resolve_place(init)
    return [Run(folder).config] if init != RANDOM and (folder / "config.yaml").is_file() else []


def _digest(parts: Sequence[Part]) -> str:
    """Hash what an audit depends on: the studies of each part, and the rules."""
    digest = hashlib.sha256()
    for module in (lib.data.audit, lib.data.curation.copies, lib.data.curation.fingerprint):
        digest.update(Path(module.__file__).read_bytes())
    for part in parts:
        digest.update(f"{part.role} {part.store.id} {part.store.path.name} ".encode())
        digest.update(part.rows.tobytes())
    return digest.hexdigest()[:12]
