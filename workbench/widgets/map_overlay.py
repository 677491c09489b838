"""Which map of which model lies on the pictures of the embedding explorer, and on which of them."""

from collections.abc import Sequence
from typing import Any

from lib.explain.explain import describe, takes
from workbench import theme
from workbench.box_reading.offers import METHOD_NAMES
from workbench.embedding_reading.picture_maps import PictureMaps
from workbench.figures.attended import scale_html
from workbench.figures.heat import Cover

NOWHERE, STUDY, SHEET = "", "study", "sheet"
WHERE = {NOWHERE: "no maps", STUDY: "maps on the study", SHEET: "maps on study and sheet"}
PREFERRED = ("cam", "eigen_cam")
"""Methods to begin with, the first that fits."""


class MapOverlay:
    """A choice of maps.

    Attributes:
        sources: models whose maps can be seen.
        where: they lie, a key of `WHERE`.
        number: of the model, in `sources`.
        method: of the maps.
        finding: that they are of, "" for a model that predicts none.
        message: why there are none, "" mostly.
    """

    def __init__(self, sources: Sequence[PictureMaps], *, where: str = NOWHERE, finding: str = ""):
        """Begin with the first model.

        Args:
            sources: models, at least one.
            where: a key of `WHERE`.
            finding: to begin with; the model's first one where it does not know it.

        Raises:
            ValueError: another place.
        """
        if where not in WHERE:
            raise ValueError(f"maps={where!r}: give one of {', '.join(map(repr, WHERE))}.")
        self.sources, self.where, self.message = list(sources), where, ""
        self.method, self.finding, self._wish = "", "", finding
        self.take(0)

    @property
    def source(self) -> PictureMaps:
        """The model."""
        return self.sources[self.number]

    @property
    def looks(self) -> bool:
        """Whether the method looks at a finding."""
        return "targets" in takes(self.method)

    @property
    def state(self) -> tuple[str, int, str, str]:
        """What is shown: while it stays the same, so do all maps."""
        return self.where, self.number, self.method, self.finding if self.looks else ""

    def lie_on(self, where: str) -> None:
        """Let maps lie there, a key of `WHERE`."""
        self.where, self.message = where, ""

    def take(self, number: int) -> None:
        """Take another model; method and finding stay where it has them."""
        self.number, self.message = number, ""
        if self.method not in self.source.methods:
            self.method = next(name for name in PREFERRED if name in self.source.methods)
        known = self.source.findings
        if self.finding not in known:
            self.finding = self._wish if self._wish in known else next(iter(known), "")

    def explain_by(self, method: str) -> None:
        """Take another method; `message` says where the model has none of that name."""
        if method in self.source.methods:
            self.method, self.message = method, ""
        else:
            self.message = f"This model has no map by {method!r}; it has {', '.join(self.source.methods)}."

    def look_for(self, finding: str) -> None:
        """Look for another finding; `message` says where the model does not know it."""
        if finding in self.source.findings:
            self.finding, self._wish, self.message = finding, finding, ""
        else:
            known = ", ".join(self.source.findings) or "none: it was not fine-tuned"
            self.message = f"This model does not know {finding!r}; it knows {known}."

    def covers(self, places: Sequence[int]) -> list[Cover | None]:
        """Return the maps of some pictures; where they cannot be, None for each, and `message` says why."""
        try:
            maps = self.source.maps(places, self.method, self.finding)
            heats = [self.source.laid(place, one) for place, one in zip(places, maps, strict=True)]
        except (ValueError, FileNotFoundError) as error:
            self.message = str(error)
            return [None] * len(places)
        covers: list[Cover | None] = []
        for heat, one in zip(heats, maps, strict=True):
            said = [self.description]
            said += [f"probability {one.probability:.2f}"] if one.probability is not None else []
            said += ["zero everywhere"] if one.is_zero else []
            covers.append(Cover(heat, ", ".join(said)))
        return covers

    @property
    def description(self) -> str:
        """What the maps are, for captions."""
        of = f" of {self.finding}" if self.looks else ""
        return f"{_name(self.method)}{of} by {self.source.checkpoint.title}"

    def legend(self) -> str:
        """Return what the colours mean, as HTML; "" without maps."""
        if self.where == NOWHERE:
            return ""
        scale = scale_html(f"{describe(self.method)}; each map from 0", "to its own maximum")
        return f'<div style="background:{theme.PAPER};padding:2px 6px">{scale}</div>'

    def menus(self) -> dict[str, list[tuple[str, Any]]]:
        """Return what can be chosen: what a person reads, and what it means."""
        return {
            "where": [(name, where) for where, name in WHERE.items()],
            "number": [(one.checkpoint.title, number) for number, one in enumerate(self.sources)],
            "method": [(_name(name), name) for name in self.source.methods],
            "finding": [(name, name) for name in self.source.findings],
        }


def _name(method: str) -> str:
    return METHOD_NAMES.get(method, method)
