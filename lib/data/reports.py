"""Report text: its two sections, its sentences, its length, and the text that models read.

Words that publishers removed stay as they stand (`XXXX` in Open-i, `___` in MIMIC-CXR): a reader of the
text sees that something was there. Only the token count leaves them out.
"""

import itertools
import re

FINDINGS_HEADINGS = (
    "findings",
    "finding",
    "chest findings",
    "other findings",
    "additional findings",
    "incidental findings",
    "observations",
    "observation",
    # One block that is both goes here, so that its text is read once.
    "findings and impression",
    "findings & impression",
    "findings/impression",
    "findings and impressions",
    "findings and conclusion",
)
IMPRESSION_HEADINGS = (
    "impression",
    "impressions",
    "final impression",
    "impression and recommendation",
    "impression and recommendations",
    "impression/recommendation",
    "impression/recommendations",
    "conclusion",
    "conclusions",
    "opinion",
    "summary",
)
DROPPED_HEADINGS = (
    "addendum",
    "attending",
    "chief complaint",
    "clinical data",
    "clinical details",
    "clinical findings",
    "clinical history",
    "clinical indication",
    "clinical information",
    "comment",
    "comments",
    "comparison",
    "comparisons",
    "comparison study",
    "comparison studies",
    "diagnosis",
    "dictated by",
    "electronically signed by",
    "exam",
    "examination",
    "final addendum",
    "final report",
    "history",
    "indication",
    "indications",
    "medical condition",
    "notification",
    "notifications",
    "patient history",
    "preliminary report",
    "procedure",
    "provisional findings impression",
    "provisional findings impression (pfi)",
    "reason for exam",
    "reason for examination",
    "reason for study",
    "reason for this examination",
    "recommendation",
    "recommendations",
    "signed by",
    "technique",
    "wet read",
)
"""Sections that no model reads. A heading in none of the three tables (`LUNGS:`, `Heart:`) is part of the
section it stands in."""

_SECTION_OF = dict.fromkeys(FINDINGS_HEADINGS, "findings")
_SECTION_OF |= dict.fromkeys(IMPRESSION_HEADINGS, "impression")
_SECTION_OF |= dict.fromkeys(DROPPED_HEADINGS, "")

_NAMES = "|".join(re.escape(name) for name in sorted(_SECTION_OF, key=len, reverse=True))
_HEADING = re.compile(
    rf"(?<![\w/&-])({_NAMES})[ \t]*(:|$)".replace(r"\ ", r"[ \t]+"), re.IGNORECASE | re.MULTILINE
)

_LIST_MARK = r"(?:\d{1,2}[.)](?!\d)|[-*](?=\s))"
_LIST_MARKS = re.compile(rf"(?:\s*{_LIST_MARK})*\s*")
_LINE_BREAK = re.compile(rf"\s*\n\s*\n\s*|\s*\n\s*(?={_LIST_MARK})")
_SENTENCE_END = re.compile(r"[.!?]+[\"')\]]*")
_DOUBLED_STOP = re.compile(r"\.{2,}$")
_NEVER_LAST = {"dr", "drs", "mr", "mrs", "ms", "prof", "vs", "e.g", "i.e", "approx", "cf", "fig", "figs"}
"""Abbreviations that something always follows."""
_SELDOM_LAST = {"etc", "st"}
"""Abbreviations that end a sentence only before a word that starts one; so do `p.m.`, `U.S.` and the like."""
_LAST_WORD = re.compile(r"(?:[A-Za-z](?:\.[A-Za-z])+|[A-Za-z]+)$")
_WORD = re.compile(r"[^\W_]+(?:[-'/.][^\W_]+)*")
_REMOVED_WORD = re.compile(r"X{2,}(?:[-'/.]X+)*")
_REMOVED_MARK = re.compile(r"X{2,}|_{2,}")


def parse_sections(text: str) -> dict[str, str]:
    """Find the two sections of a free-text report.

    A heading is one of the three tables above: followed by a colon and capitalised, or at the start of a
    line in any case, or capitalised on a line of its own. A section that comes twice is joined in order.

    Args:
        text: the whole report, with its line breaks.

    Returns:
        `"findings"` and `"impression"`, stripped, line breaks kept; both "" where no heading is known.
    """
    parts: dict[str, list[str]] = {"findings": [], "impression": [], "": []}
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    headings = [match for match in _HEADING.finditer(text) if _is_heading(match, text)]
    for match, following in itertools.zip_longest(headings, headings[1:]):
        section = _SECTION_OF[" ".join(match[1].lower().split())]
        end = following.start() if following else len(text)
        parts[section].append(text[match.end() : end].strip())
    return {name: "\n".join(filter(None, parts[name])) for name in ("findings", "impression")}


def split_sentences(text: str) -> list[str]:
    """Split a section into sentences, in order.

    Sentences end at `.`, `!`, `?`, at a blank line and before a list mark that starts a line. Decimals
    (`1.9 cm`) and abbreviations (`Dr.`, `vs.`, `p.m. XXXX`) do not end one; a stop without a space behind it
    does (`apex.There`). List marks (`1.`, `2)`, `-`) and stray or doubled stops are left out; white space is
    collapsed.
    """
    sentences = []
    for block in _LINE_BREAK.split(text):
        block = " ".join(block.split())
        start = _LIST_MARKS.match(block).end()
        for match in _SENTENCE_END.finditer(block):
            if match.start() < start or not _ends_sentence(block, start, match):
                continue
            sentences.append(_DOUBLED_STOP.sub(".", block[start : match.end()]))
            start = _LIST_MARKS.match(block, match.end()).end()
        sentences.append(block[start:])
    return [sentence for sentence in map(str.strip, sentences) if _WORD.search(sentence)]


def count_tokens(text: str) -> int:
    """Count words (`x-ray`, `right-sided`, `1.9` are one each), without punctuation and removed words.

    This is the count of the paper's rule that drops reports of fewer than three tokens.
    """
    return sum(_REMOVED_WORD.fullmatch(word) is None for word in _WORD.findall(text))


def report_sentences(findings: str, impression: str) -> list[str]:
    """Return the sentences of both sections, in order; a text without one is one sentence, even ""."""
    return split_sentences(findings) + split_sentences(impression) or [report_text(findings, impression)]


def count_removed(text: str) -> int:
    """Count the words, or parts of words, that publishers removed (`XXXX`, `___`)."""
    return len(_REMOVED_MARK.findall(text))


def report_text(findings: str, impression: str) -> str:
    """Return the text that models read: findings, then impression, white space collapsed; "" if both are."""
    return " ".join(f"{findings} {impression}".split())


def _is_heading(match: re.Match, text: str) -> bool:
    """Tell a heading from the same words inside a sentence."""
    line_start = text.rfind("\n", 0, match.start()) + 1
    starts_line = not text[line_start : match.start()].strip(" \t#*>")
    is_capitalised = match[1][0].isupper()
    return (starts_line or is_capitalised) if match[2] else (starts_line and is_capitalised)


def _ends_sentence(text: str, start: int, match: re.Match) -> bool:
    """Decide whether the punctuation `match` ends the sentence that began at `start`."""
    before, after = text[start : match.start()], text[match.end() :]
    if not after:
        return True
    if match[0] == ".":
        last = _LAST_WORD.search(before)
        word = last[0].lower() if last else ""
        if word in _NEVER_LAST:
            return False
        if word in _SELDOM_LAST or "." in word:
            return re.match(r"\s+[A-Z][a-z]", after) is not None
    if after[0].isspace():
        return True
    # No space: a new sentence starts with a capital ("apex.There") or a list mark ("process.2. Small"),
    # while "U.S." and "2.5" go on.
    if re.match(rf"(?:[A-Z][A-Za-z\s]|{_LIST_MARK}(?:\s|$))", after) is None:
        return False
    return not re.search(r"(?:^|[\s.])[A-Z]$", before)
