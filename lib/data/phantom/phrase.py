"""From a template and a finding to a sentence."""

import functools
from collections.abc import Sequence

from lib.data.phantom import wording
from lib.data.phantom.boxes import HIDDEN_FLUID
from lib.data.phantom.draw import Draw
from lib.data.phantom.findings import BEHIND_HEART, Finding

ZONE_WORDS = {
    "upper": ("upper zone", "upper lung", "upper lung zone"),
    "mid": ("mid zone", "mid lung", "mid lung zone"),
    "lower": ("lower zone", "lung base", "base", "lower lung zone"),
}
SHORT_LOBES = {
    "right upper lobe": "RUL",
    "right middle lobe": "RML",
    "right lower lobe": "RLL",
    "left upper lobe": "LUL",
    "left lower lobe": "LLL",
}


class Slots(dict):
    """What fills the slots of the sentences about a finding; `{Size}` is `{size}` with a capital.

    Args:
        group: the finding, or both sides of it.
        draw: the study's stream of words; a choice holds for the whole report.
    """

    def __init__(self, group: Sequence[Finding], draw: Draw):
        first, amount = group[0], max(finding.amount for finding in group)
        third = min(2, int(3 * amount))
        for slot, words in wording.SMALL_TO_LARGE.items():
            self[slot] = draw.pick(words[third])
        is_hidden = amount <= HIDDEN_FLUID and draw.chance(0.6)
        along = first.place[0]
        self["side"] = first.side
        self["sides"] = "bilateral" if len(group) > 1 else first.side
        self["greater"] = _greater(group) if len(group) > 1 and draw.chance(0.7) else ""
        self["layering"] = ", seen on the lateral view" if is_hidden else ""
        self["zone"] = _zone(first, draw)
        self["lobe"] = lobe(first)
        self["place"] = self["lobe"] if draw.chance(0.5) else self["zone"]
        if draw.chance(0.08):
            self["lobe"] = SHORT_LOBES.get(self["lobe"], self["lobe"])
        self["cm"] = f"{2.0 * first.size[0]:.1f}"
        self["rib"] = wording.ORDINALS[first.rib]
        self["part"] = "posterior" if along < 0.35 else "lateral" if along < 0.65 else "anterior"
        self["plate"] = draw.pick(("linear", "subsegmental", "plate-like", "bandlike"))

    def __missing__(self, slot: str) -> str:
        text = self[slot[0].lower() + slot[1:]]
        return text[:1].upper() + text[1:]


def lobe(finding: Finding) -> str:
    """Name the lobe in which a finding lies."""
    if finding.zone == "upper":
        return f"{finding.side} upper lobe"
    if finding.place[1] > (0.1 if finding.zone == "mid" else 0.3):  # before the oblique fissure
        return "right middle lobe" if finding.side == "right" else "lingula of the left lung"
    return f"{finding.side} lower lobe"


def say(template: str, draw: Draw, slots: dict[str, str] | None = None) -> str:
    """Choose among the alternatives of a template, fill its slots and make it a sentence."""
    text = choose(template, draw)
    text = text.format_map(slots) if slots else text
    text = f"{text[:1].upper()}{text[1:]}"
    return text if text.endswith(".") else f"{text}."


def choose(template: str, draw: Draw) -> str:
    """Choose among the alternatives `[a|b]` of a template."""
    return "".join(part if isinstance(part, str) else draw.pick(part) for part in _parse(template))


@functools.cache
def _parse(template: str) -> tuple[str | tuple[str, ...], ...]:
    """Split a template into fixed text and tuples of alternatives."""
    pieces = template.replace("]", "[").split("[")
    return tuple(tuple(piece.split("|")) if number % 2 else piece for number, piece in enumerate(pieces))


def _zone(finding: Finding, draw: Draw) -> str:
    if finding.kind == BEHIND_HEART:
        return f"{finding.side} retrocardiac region"
    return f"{finding.side} {draw.pick(ZONE_WORDS[finding.zone])}" if finding.zone else ""


def _greater(group: Sequence[Finding]) -> str:
    more, less = sorted(group, key=lambda finding: -finding.amount)[:2]
    return f", {more.side} greater than {less.side}"
