"""Sentences that a person types for a model to read: what it cannot read, and what only in part."""

import re

from lib.protocols.pair_encoder import PairEncoder

LONGEST = 4096
"""Tokens of a text whose length is asked for."""

_WORD = re.compile(r"[^\W_]+")


def refusal(pairs: PairEncoder, sentence: str) -> str:
    """Say why a model cannot read a sentence; "" where it can."""
    words = _WORD.findall(sentence)
    if not words:
        return "There is no word to look for: type a sentence as a radiologist would write it."
    if all(_is_unknown(pairs, word) for word in words):
        return f"The model has never seen a letter of {sentence.strip()!r}: write it otherwise."
    return ""


def remark(pairs: PairEncoder, sentence: str) -> str:
    """Say what of a sentence the model reads only in part; "" where it reads every word."""
    words = list(dict.fromkeys(_WORD.findall(sentence)))
    spelled = [word for word in words if len(_pieces(pairs, word)) > 1 or _is_unknown(pairs, word)]
    remarks = []
    if spelled:
        shown = ", ".join(spelled[:4]) + ", ..." * (len(spelled) > 4)
        remarks.append(f"Not a word of its vocabulary, read in pieces: {shown}.")
    most = pairs.max_tokens - 2  # start and end
    if len(_pieces(pairs, sentence)) > most:
        remarks.append(f"Only the first {most} pieces of the sentence are read.")
    return " ".join(remarks)


def _is_unknown(pairs: PairEncoder, word: str) -> bool:
    return pairs.tokenizer.unknown_id in _pieces(pairs, word)


def _pieces(pairs: PairEncoder, text: str) -> list[int]:
    """Return the ids of a text without padding, start and end."""
    ids = pairs.tokenizer.encode([text], LONGEST)[0]
    return ids[ids != pairs.tokenizer.pad_id][1:-1].tolist()
