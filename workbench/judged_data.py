"""The data that a finished pre-training is judged on, audited against what it learnt from."""

import dataclasses
from pathlib import Path

from lib.data.audit import Finding, parts_of, pretraining_parts, refuse_leaks
from lib.data.splits import Manifest
from lib.data.store import Store
from workbench.audits import audit_once
from workbench.inputs import resolve_place
from workbench.manifests import freeze_manifest
from workbench.reopen import open_data
from workbench.runs import Run


@dataclasses.dataclass(frozen=True)
class JudgedData:
    """Two stores, which may be one.

    Attributes:
        own: what the run learnt from.
        own_manifest: its splits.
        store: what the run is judged on.
        manifest: its splits.
        findings: of the audit.
    """

    own: Store
    own_manifest: Manifest
    store: Store
    manifest: Manifest
    findings: list[Finding]


def open_judged(run: Run, store: Path | str = "", *, allow_leak: str = "") -> JudgedData:
    """Open the data of a run and what it is to be judged on, and audit that.

    Args:
        run: a pre-training.
        store: a folder; "" for the run's own store, with the split that the run was made with. Another store
            has the manifest of seed 0 that lies beside it, which is made where it is missing.
        allow_leak: reason to go on where the audit finds pre-training data in what is judged on.

    Raises:
        FileNotFoundError: no store there.
        LeakFound: a leak, and no reason to go on.
    """
    own, own_manifest = open_data(run)
    judged, manifest = own, own_manifest
    if store:
        judged = Store(resolve_place(str(store)))
        if judged.id != own.id:
            manifest = freeze_manifest(judged, 0)
    parts = parts_of(judged, manifest)
    if judged.id != own.id:
        parts += pretraining_parts(own, own_manifest)
    findings = audit_once(parts)
    refuse_leaks(findings, allow_leak)
    return JudgedData(own, own_manifest, judged, manifest, findings)
