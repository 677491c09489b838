"""Text to token ids: WordPiece trained on the training reports, or the vocabulary of a BERT folder."""

import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Self

import numpy as np
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from lib.atomic import write_text

# The library's thread pool dies in forked workers and is not needed: tokens are made once, not per batch.
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

SPECIAL_PIECES = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
MIN_FREQUENCY = 2
"""A piece must be worth its row: one that occurs once in all training reports is spelled by smaller ones."""


class PieceTokenizer:
    """Encode texts as rows of ids `start ... end pad pad`, over any WordPiece vocabulary.

    Attributes:
        pad_id: fills a row behind its end.
        unknown_id: stands for a character that the vocabulary does not have.
        start_id: first of every row.
        end_id: last of every text, also of one that was cut.
        mask_id: for masked language modelling.
    """

    def __init__(self, tokenizer: Tokenizer, *, where: str):
        """Wrap a tokenizer of the library.

        Raises:
            ValueError: it lacks one of the special pieces; `where` says where it came from.
        """
        ids = [tokenizer.token_to_id(piece) for piece in SPECIAL_PIECES]
        if None in ids:
            raise ValueError(
                f"{where} has no {SPECIAL_PIECES[ids.index(None)]}, so it is no BERT vocabulary."
            )
        self.pad_id, self.unknown_id, self.start_id, self.end_id, self.mask_id = ids
        # Rows are cut and filled here; what a published file says about it (MiniLM: 128) must not interfere.
        tokenizer.no_truncation()
        tokenizer.no_padding()
        # A report that holds the letters "[SEP]" does not end there.
        tokenizer.encode_special_tokens = True
        self._tokenizer = tokenizer

    def __len__(self) -> int:
        """Return the number of entries of the vocabulary."""
        return self._tokenizer.get_vocab_size()

    def encode(self, texts: Sequence[str], max_length: int) -> np.ndarray:
        """Encode texts; a long one is cut so that its end token stands at the last place.

        Returns:
            int32 `[N, max_length]`.
        """
        if max_length < 2:
            raise ValueError(
                f"max_length {max_length} leaves no room for the start and end tokens; use 2 or more."
            )
        rows = np.full((len(texts), max_length), self.pad_id, np.int32)  # [N, T]
        encodings = self._tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        for row, encoding in zip(rows, encodings, strict=True):
            pieces = encoding.ids[: max_length - 2]
            row[: len(pieces) + 2] = [self.start_id, *pieces, self.end_id]
        return rows

    def pieces(self, ids: Sequence[int] | np.ndarray) -> list[str]:
        """Return the entries of the vocabulary as they are: `##` begins what goes on within a word."""
        return [self._tokenizer.id_to_token(int(number)) for number in ids]

    def decode(self, ids: Sequence[int] | np.ndarray) -> str:
        """Return the text of one row up to its end token, as far as the vocabulary kept it (lower case)."""
        pieces = np.asarray(ids).tolist()
        if self.end_id in pieces:
            pieces = pieces[: pieces.index(self.end_id)]
        pieces = [piece for piece in pieces if piece not in (self.pad_id, self.start_id)]
        return self._tokenizer.decode(pieces, skip_special_tokens=False)


class ReportTokenizer(PieceTokenizer):
    """WordPiece over reports: lower case, accents stripped, the same ids on every machine."""

    PAD, UNK, SOS, EOS, MASK = range(len(SPECIAL_PIECES))

    @classmethod
    def train(cls, texts: Iterable[str], vocab_size: int = 10_000) -> Self:
        """Learn the vocabulary.

        Args:
            texts: the reports of the training split, and of no other.
            vocab_size: entries at most, special pieces included (paper: 10,000).

        Raises:
            ValueError: no text, or not even the single characters fit into `vocab_size`.
        """
        texts = list(texts)
        pattern = _bert_tokenizer(models.WordPiece(unk_token="[UNK]"), lowercase=True)
        letters = set().union(*map(pattern.normalizer.normalize_str, texts))
        # Characters that may stand inside a word: all but those which are always cut off (punctuation).
        inner = [
            letter for letter in sorted(letters) if len(_words(pattern, f"a{letter}")) == 1 and letter.strip()
        ]
        if not inner:
            raise ValueError("No words to train the report tokenizer on: every training report is empty.")
        # The library numbers these pieces as a randomly seeded hash map hands them out, and breaks ties
        # between merges by number; named beforehand, in order, they make training repeatable.
        continuations = [f"##{letter}" for letter in inner]
        trainer = trainers.WordPieceTrainer(
            vocab_size=vocab_size,
            min_frequency=MIN_FREQUENCY,
            special_tokens=[*SPECIAL_PIECES, *continuations],
            show_progress=False,
        )
        pattern.train_from_iterator(texts, trainer)
        vocabulary = pattern.get_vocab(with_added_tokens=False)
        if len(vocabulary) > vocab_size:
            raise ValueError(
                f"vocab_size {vocab_size} is too small: single characters and special pieces alone "
                f"take {len(vocabulary)}."
            )
        # A fresh one, in which only the five special pieces are special.
        tokenizer = _bert_tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"), lowercase=True)
        return cls(tokenizer, where="The trained vocabulary")

    def save(self, path: Path | str) -> None:
        """Write the JSON format of the `tokenizers` library, atomically."""
        write_text(path, self._tokenizer.to_str(pretty=True) + "\n")

    @classmethod
    def load(cls, path: Path | str) -> Self:
        """Read what `save` wrote.

        Raises:
            FileNotFoundError: no such file.
            ValueError: another kind of file, or a tokenizer with other ids.
        """
        path = Path(path)
        if not path.is_file():
            raise FileNotFoundError(f"Report tokenizer {path} does not exist; pre-training writes it.")
        loaded = cls(_read_tokenizer(path), where=f"Tokenizer {path}")
        ids = (loaded.pad_id, loaded.unknown_id, loaded.start_id, loaded.end_id, loaded.mask_id)
        if ids != (cls.PAD, cls.UNK, cls.SOS, cls.EOS, cls.MASK):
            raise ValueError(
                f"{path} is no report tokenizer: its special pieces have the ids {ids}, not 0 to 4. "
                "Use the file that pre-training wrote."
            )
        return loaded


def load_bert_tokenizer(folder: Path | str) -> PieceTokenizer:
    """Read the tokenizer of a local BERT folder: `tokenizer.json`, else `vocab.txt`.

    With `vocab.txt` alone, letter case follows `do_lower_case` of `tokenizer_config.json` and, where that is
    missing (the published ClinicalBERT), the vocabulary: one that holds capitals is cased.

    Raises:
        FileNotFoundError: the folder has neither file.
        ValueError: the file is no BERT tokenizer.
    """
    folder = Path(folder)
    if (folder / "tokenizer.json").is_file():
        return PieceTokenizer(_read_tokenizer(folder / "tokenizer.json"), where=f"Tokenizer in {folder}")
    file = folder / "vocab.txt"
    if not file.is_file():
        raise FileNotFoundError(f"BERT folder {folder} holds neither tokenizer.json nor vocab.txt.")
    pieces = [line.rstrip("\r\n") for line in file.read_text(encoding="utf-8").splitlines(keepends=True)]
    vocabulary = {piece: place for place, piece in enumerate(pieces)}
    config = folder / "tokenizer_config.json"
    settings = json.loads(config.read_text(encoding="utf-8")) if config.is_file() else {}
    has_capitals = any(piece != piece.lower() for piece in pieces if not piece.startswith("["))
    lowercase = settings.get("do_lower_case", not has_capitals)
    tokenizer = _bert_tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"), lowercase=lowercase)
    return PieceTokenizer(tokenizer, where=f"Vocabulary {file}")


def _bert_tokenizer(model: models.WordPiece, *, lowercase: bool) -> Tokenizer:
    """Put BERT's own rules for letter case, accents, white space and punctuation around a model."""
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lowercase, strip_accents=lowercase)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece(prefix="##")
    known = [piece for piece in SPECIAL_PIECES if tokenizer.token_to_id(piece) is not None]
    tokenizer.add_special_tokens(known)
    return tokenizer


def _words(tokenizer: Tokenizer, text: str) -> list[tuple[str, tuple[int, int]]]:
    return tokenizer.pre_tokenizer.pre_tokenize_str(text)


def _read_tokenizer(path: Path) -> Tokenizer:
    try:
        return Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises nothing more exact
        raise ValueError(f"{path} is no tokenizer of the `tokenizers` library ({error}).") from error
