"""Decide who is for training, validation and test, see what that means, and freeze it in a manifest."""

import dataclasses
import html
from pathlib import Path
from typing import Any

from lib.data.audit import Finding, parts_of
from lib.data.splits import Manifest
from lib.data.store import Store
from workbench import theme
from workbench.audits import audit_once
from workbench.figures import stores
from workbench.inputs import shorten
from workbench.manifests import OtherManifest, SplitPlan, has_own_split
from workbench.widgets.maker_shell import maker_shell


class ManifestMaker:
    """What is asked of the split, what it would be, and what was frozen.

    Attributes:
        plan: what is asked for now.
        manifest: what it gives; None where it gives none.
        problem: why it gives none, in words; "" where it does.
        path: of the manifest that was frozen last, None before.
        findings: of the audit of that manifest; None where it was not audited.
        refusal: why the last freezing did not happen, "" where it did.
    """

    def __init__(self, store: Store, *, seed: int = 0, leave_out: list[str] | tuple[str, ...] = ()):
        """Begin with the split of a seed.

        Args:
            store: its studies are divided.
            seed: of the draws.
            leave_out: flags whose studies are in no split.
        """
        self.store = store
        self.flags = dict.fromkeys(leave_out, 0) | stores.flag_counts(store)
        self.has_own_split = has_own_split(store)
        self.path: Path | None = None
        self.findings: list[Finding] | None = None
        self.refusal = ""
        self._first = self.plan = SplitPlan(seed=seed, leave_out=tuple(leave_out))
        self.change()

    def change(self, **values: Any) -> None:
        """Ask for something else: fields of `SplitPlan`; see what it gives."""
        self.plan = dataclasses.replace(self.plan, **values)
        self.refusal = ""
        try:
            self.manifest, self.problem = self.plan.make(self.store), ""
        except ValueError as error:
            self.manifest, self.problem = None, str(error)

    def freeze(self) -> None:
        """Save the manifest beside the store and audit it.

        Raises:
            OtherManifest: a different one has that name; it is kept.
            ValueError: what is asked for gives no manifest.
        """
        self.plan.save(self.store)
        self.path = self.plan.path(self.store)
        self._audit()

    def frozen(self) -> Manifest:
        """Return what was frozen last; where nothing was, the manifest of the values of the start."""
        if self.path is None:
            self._first.load_or_save(self.store)
            self.path = self._first.path(self.store)
        return Manifest.load(self.path, self.store)

    def preview(self) -> str:
        """Return HTML: what the split would be, or why there is none."""
        if self.problem:
            return _lines([(self.problem, theme.WARNING)])
        return stores.split_tables(self.store, self.manifest)

    def report(self) -> str:
        """Return HTML: where what was frozen here lies, what its audit found, and the line for a recipe."""
        lines = [(self.refusal, theme.WARNING)] if self.refusal else []
        if self.findings is not None:
            lines.append((f"Frozen: {self.path.name}, id {self.frozen().id[:12]}", theme.INK))
            lines += [
                (_in_words(finding), theme.WARNING if finding.is_leak else theme.INK)
                for finding in self.findings
            ] or [("Audit: nothing found.", theme.INK)]
            lines.append((f"In a recipe: manifest: {shorten(self.path)}", theme.INK))
        return _lines(lines)

    def static(self) -> str:
        """Freeze what is asked for and return the HTML of both; another manifest that is there is kept."""
        try:
            self.freeze()
        except OtherManifest as error:
            self.frozen()
            self._audit()
            self.refusal = str(error)
        return stores.split_tables(self.store, self.frozen()) + self.report()

    def live(self) -> Any:
        """Return the widget: what can be asked for, what it gives at once, a button that freezes it."""
        return maker_shell(self)

    def _audit(self) -> None:
        # An empty split has no border.
        parts = [part for part in parts_of(self.store, self.frozen()) if len(part.rows)]
        self.findings, self.refusal = audit_once(parts), ""


MEANING = {
    "same patient": "patients are on both sides: {border}",
    "same study": "studies are on both sides: {border}",
    "identical image": "pictures are on both sides: {border}",
    "near-identical image": "pictures are on both sides, saved again: {border}",
    "mirrored image": "pictures are on both sides, mirrored: {border}",
    "prevalence drift": "labels are much more common on one side: {border}",
    "view mix": "view positions are mixed differently: {border}",
    "boxes outside test": "pictures with boxes are in {border}: a localisation must not be judged by them",
}
"""Kind of an audit's finding -> what it says of so many of them."""


def _in_words(finding: Finding) -> str:
    meaning = MEANING[finding.kind].format(border=finding.border)
    said = f"{finding.count:,} {meaning} (for example {'; '.join(finding.examples)})."
    return f"LEAK: {said} No training will start on this split." if finding.is_leak else f"Note: {said}"


def _lines(lines: list[tuple[str, str]]) -> str:
    style = html.escape(f"font-family:{theme.FONT};font-size:13px;line-height:1.6;max-width:{theme.WIDTH}px")
    shown = "".join(f'<div style="color:{colour}">{html.escape(text)}</div>' for text, colour in lines)
    return f'<div style="{style};margin-top:12px">{shown}</div>'
