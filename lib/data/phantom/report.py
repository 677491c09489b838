"""A report from a grammar: what was found in words, what was not, and what it comes to."""

import dataclasses

from lib.data.phantom import wording
from lib.data.phantom.domain import LABEL_NAMES
from lib.data.phantom.draw import Draw
from lib.data.phantom.findings import ZONES, Finding
from lib.data.phantom.labeller import AFFIRMED, DENIED, HEDGED, SILENT
from lib.data.phantom.phrase import Slots, choose, say
from lib.data.phantom.visit import Visit

HEDGE_SHARE = 0.12
"""Share of true findings that the report leaves open; twice as many where there is little to see."""
DOUBT_SHARE = 0.08
"""Share of reports that raise the possibility of something that is not there."""
IMPRESSION_ALONE = 0.05
"""Share of abnormal studies of which only the impression was dictated."""
DENIED_SHARES = {
    "Pneumothorax": 0.8,
    "Pleural Effusion": 0.8,
    "Consolidation": 0.55,
    "Edema": 0.25,
    "Mass": 0.1,
    "Nodule": 0.1,
    "Atelectasis": 0.06,
}
"""Finding -> how often a report says that it is absent."""
LUNG_FINDINGS = (*DENIED_SHARES, "Emphysema")
VASCULAR = ("Cardiomegaly", "Edema", "Emphysema")
"""With these the vessels are not called normal."""
ORGANS = (
    *("Cardiomegaly", "heart", "lungs", "Emphysema", "Edema", "Consolidation", "Atelectasis", "Nodule"),
    *("Mass", "Pleural Effusion", "Pneumothorax", "absent", "rest", "Rib Fracture", "bones", "device"),
)
"""Order of a report that goes from organ to organ."""


@dataclasses.dataclass(frozen=True)
class Report:
    """The two sections, and how they speak of each finding.

    Attributes:
        findings: that section, sometimes "".
        impression: that section.
        mentions: finding -> `AFFIRMED`, `HEDGED`, `DENIED` or `SILENT`.
    """

    findings: str
    impression: str
    mentions: dict[str, str]


def write_report(visit: Visit, draw: Draw) -> Report:
    """Write the report of a study.

    Args:
        visit: what there is to report.
        draw: the study's stream of words.
    """
    draft = _Draft(draw)
    for group in _groups(visit.findings):
        draft.add_finding(group)
    num_present = len(draft.said)
    if draw.chance(DOUBT_SHARE):
        draft.add_doubt()
    if num_present and draw.chance(IMPRESSION_ALONE):
        return Report("", draft.impression(), draft.mentions)
    draft.add_absent()
    draft.add_rest(visit)
    return Report(draft.findings(num_present), draft.impression(), draft.mentions)


def _groups(findings: tuple[Finding, ...]) -> list[tuple[Finding, ...]]:
    """Bring the two sides of an effusion together; all else is reported one by one."""
    fluid = tuple(finding for finding in findings if finding.name == "Pleural Effusion")
    rest = [(finding,) for finding in findings if finding.name != "Pleural Effusion"]
    return [fluid, *rest] if fluid else rest


class _Draft:
    """A report in the making.

    Attributes:
        mentions: finding -> how it was spoken of so far.
        said: what each sentence of the findings is about, and the sentence.
        lines: weight of each line of the impression, and the line.
    """

    def __init__(self, draw: Draw):
        self.draw = draw
        self.mentions = dict.fromkeys(LABEL_NAMES, SILENT)
        self.said: list[tuple[str, str]] = []
        self.lines: list[tuple[float, str]] = []

    def add_finding(self, group: tuple[Finding, ...]) -> None:
        """Report a finding that is there, sometimes with a hedge."""
        draw, name, amount = self.draw, group[0].name, max(finding.amount for finding in group)
        slots = Slots(group, draw)
        if draw.chance(HEDGE_SHARE * (2.0 if amount < 0.2 else 1.0)):
            self._leave_open(name, slots, 0.3)
            return
        self.mentions[name] = AFFIRMED
        kind = f"{name}/{'bilateral' if len(group) > 1 else group[0].kind}"
        self._say(name, wording.AFFIRMED.get(kind) or wording.AFFIRMED[name], slots)
        line = draw.pick(wording.CONCLUDED.get(kind) or wording.CONCLUDED[name])
        self.lines.append((0.5 + amount, say(line, draw, slots)))

    def add_doubt(self) -> None:
        """Raise the possibility of something that is not there."""
        draw = self.draw
        name = draw.pick([name for name in LABEL_NAMES if self.mentions[name] == SILENT])
        zone = draw.pick(("mid", "lower"))
        doubt = Finding(
            name=name,
            side=draw.pick(("left", "right")),
            zone=zone,
            amount=draw.uniform(0.0, 0.3),
            place=(0.5, draw.uniform(-0.5, 0.5), ZONES[zone][0]),
            size=(draw.uniform(0.5, 0.9) if name == "Nodule" else 1.8,) * 3,
            rib=int(draw.uniform(4, 10)),
        )
        self._leave_open(name, Slots((doubt,), draw), 0.2)

    def add_absent(self) -> None:
        """Say what is normal and what was looked for in vain."""
        draw, mentions = self.draw, self.mentions
        if mentions["Cardiomegaly"] == SILENT and draw.chance(0.85):
            mentions["Cardiomegaly"] = DENIED
            self._say("heart", wording.NORMAL_HEART)
        if all(mentions[name] == SILENT for name in LUNG_FINDINGS) and draw.chance(0.6):
            mentions.update({"Consolidation": DENIED, "Edema": DENIED})
            self._say("lungs", wording.NORMAL_LUNGS)
        absent = [
            name
            for name, share in DENIED_SHARES.items()
            if draw.chance(share) and mentions[name] in (SILENT, DENIED)
        ]
        if absent:
            mentions.update(dict.fromkeys(absent, DENIED))
            words = [choose(wording.DENIED[name], draw) for name in draw.shuffled(absent)]
            if len(words) > 2 and draw.chance(0.3):  # two shorter sentences instead of a list
                self._say("absent", wording.NO_LIST, {"list": words.pop()})
            self._say("absent", wording.NO_LIST, {"list": _either(words)})
        if mentions["Rib Fracture"] == SILENT and draw.chance(0.4):
            mentions["Rib Fracture"] = DENIED
            self._say("bones", wording.NORMAL_BONES)

    def add_rest(self, visit: Visit) -> None:
        """Name devices and incidental findings, and fill up a short report with normal statements."""
        draw, is_unfolded = self.draw, visit.patient.aorta > 0.6
        for device in visit.devices:
            if draw.chance(0.85):
                self._say("device", (wording.DEVICES[device],), {"side": visit.granuloma_side})
        if is_unfolded and draw.chance(0.6):
            self._say("heart", (wording.UNFOLDED,))
        if visit.breath < 0.45 and draw.chance(0.6):
            self._say("rest", (wording.SHALLOW,))
        words = sum(text.count(" ") + 1 for _, text in self.said)
        is_wrong = {
            "aorta": is_unfolded,
            "vessels": any(self.mentions[name] == AFFIRMED for name in VASCULAR),
        }
        for about in draw.shuffled([about for about in wording.NORMAL_REST if not is_wrong.get(about)]):
            if words > draw.uniform(5, 45):
                break
            self._say("rest", (wording.NORMAL_REST[about],))
            words += self.said[-1][1].count(" ") + 1

    def findings(self, num_present: int) -> str:
        """Join the sentences: by organ, or what is abnormal first."""
        if self.draw.chance(0.5):
            ordered = sorted(self.said, key=lambda item: ORGANS.index(item[0]))
        else:
            ordered = self.said[:num_present] + self.draw.shuffled(self.said[num_present:])
        return " ".join(text for _, text in ordered)

    def impression(self) -> str:
        """Join the lines, the heaviest first, sometimes numbered."""
        if not self.lines:
            return say(self.draw.pick(wording.NORMAL_IMPRESSION), self.draw)
        ordered = [text for _, text in sorted(self.lines, reverse=True)]
        if len(ordered) > 1 and self.draw.chance(0.6):
            ordered = [f"{number}. {text}" for number, text in enumerate(ordered, 1)]
        return " ".join(ordered)

    def _leave_open(self, name: str, slots: Slots, weight: float) -> None:
        if self.mentions[name] == SILENT:
            self.mentions[name] = HEDGED
        self._say(name, wording.HEDGED[name], slots)
        self.lines.append((weight, say(wording.CONCLUDED_OPEN[name], self.draw, slots)))

    def _say(self, about: str, templates: tuple[str, ...], slots: dict[str, str] | None = None) -> None:
        self.said.append((about, say(self.draw.pick(templates), self.draw, slots)))


def _either(words: list[str]) -> str:
    if len(words) < 3:
        return " or ".join(words)
    return f"{', '.join(words[:-1])}, or {words[-1]}"
