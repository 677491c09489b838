"""Prompts: sentences that say of a finding that it is there, and that it is not, in several styles.

`chest_prompts.yaml` holds those of this package. A file of a person's own has the same form:

    Cardiomegaly:                              # finding, as the labels of a store call it
      plain:                                   # style, any name
        positive: [There is cardiomegaly.]
        negative: [No cardiomegaly.]
"""

import dataclasses
import difflib
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import yaml

CHEST = Path(__file__).with_name("chest_prompts.yaml")
"""The labels of CheXpert, of NIH ChestX-ray14 and of the phantom, in the styles "paper" (as a radiologist
would write, for the eight categories of ConVIRT, appendix D), "plain" and "report" (phrases of reports)."""

SIDES = ("positive", "negative")


class PromptPair(NamedTuple):
    """Sentences of one finding in one style.

    Attributes:
        positive: say that it is there.
        negative: say that it is not.
    """

    positive: tuple[str, ...]
    negative: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Prompts:
    """The prompts of a file.

    Attributes:
        path: of the file.
        by_finding: finding -> style -> sentences.
    """

    path: Path
    by_finding: Mapping[str, Mapping[str, PromptPair]]

    @property
    def styles(self) -> tuple[str, ...]:
        """All styles, in order of first appearance."""
        return tuple(dict.fromkeys(style for pairs in self.by_finding.values() for style in pairs))

    def of(self, finding: str) -> Mapping[str, PromptPair]:
        """Return the sentences of a finding by style.

        Raises:
            ValueError: the file has none for it.
        """
        if finding not in self.by_finding:
            raise ValueError(
                f"{self.path} has no prompts for {finding!r}. Add some, or leave it out. It has "
                f"{', '.join(self.by_finding)}."
            )
        return self.by_finding[finding]

    def queries(self, classes: Sequence[str], styles: Collection[str]) -> tuple[list[str], np.ndarray]:
        """Return the positive sentences of some classes in some styles, to look for pictures with.

        Args:
            classes: findings.
            styles: a class that has none of them has no query.

        Returns:
            Sentences, each once for a class, and the index of each into `classes`, int64.

        Raises:
            ValueError: no prompts for a class at all.
        """
        texts: list[str] = []
        category: list[int] = []
        for index, finding in enumerate(classes):
            pairs = self.of(finding)
            own = dict.fromkeys(text for style in pairs if style in styles for text in pairs[style].positive)
            texts += own
            category += [index] * len(own)
        return texts, np.array(category, np.int64)


def read_prompts(path: Path | str = CHEST, *, known: Collection[str] = ()) -> Prompts:
    """Read a file of prompts.

    Args:
        path: the YAML file.
        known: findings that it may speak of besides those of `CHEST`, such as the labels of a store.

    Raises:
        FileNotFoundError: no such file.
        ValueError: no YAML of this form, an unknown finding, or a finding that lacks sentences of one side;
            names the file and the place.
    """
    path = Path(path)
    values = _read(path)
    if path != CHEST:
        _refuse_unknown(values, (*_read(CHEST), *known), path)
    pairs = {
        finding: {
            style: _pair(sides, f"{path}: {finding}, style {style!r}") for style, sides in styles.items()
        }
        for finding, styles in _mappings(values, path).items()
    }
    return Prompts(path, pairs)


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise FileNotFoundError(f"There is no file of prompts at {path}. The package's own is {CHEST.name}.")
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ValueError(f"{path} is no YAML: {error}") from error
    if not isinstance(values, dict) or not values:
        raise ValueError(f"{path} must hold findings with their styles; found {values!r}.")
    return values


def _refuse_unknown(findings: Collection[str], known: Collection[str], path: Path) -> None:
    known = tuple(dict.fromkeys(known))
    for finding in findings:
        if finding not in known:
            close = difflib.get_close_matches(str(finding), known, n=1, cutoff=0.5)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            raise ValueError(f"{path}: unknown finding {finding!r}.{hint} Known: {', '.join(known)}.")


def _mappings(values: Mapping[str, Any], path: Path) -> Mapping[str, Mapping[str, Any]]:
    for finding, styles in values.items():
        if not isinstance(styles, dict) or not styles:
            raise ValueError(f"{path}: {finding} must hold styles with their sentences; found {styles!r}.")
    return values


def _pair(sides: Any, where: str) -> PromptPair:
    """Return the sentences of both sides, or raise the ValueError that says what is wrong with them."""
    if not isinstance(sides, dict) or set(sides) - set(SIDES):
        raise ValueError(f"{where}: needs the lists positive and negative and nothing else; found {sides!r}.")
    for side in SIDES:
        texts = sides.get(side)
        if not isinstance(texts, list) or not texts:
            raise ValueError(
                f"{where}: {side} sentences are missing; give a list of at least one. A finding is judged by "
                "the difference of both sides."
            )
        for text in texts:
            if not isinstance(text, str) or not text.strip():
                raise ValueError(f"{where}: {text!r} among the {side} sentences is no sentence.")
    return PromptPair(*(tuple(text.strip() for text in sides[side]) for side in SIDES))
