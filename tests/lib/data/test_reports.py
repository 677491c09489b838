import re

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.data.reports import (
    DROPPED_HEADINGS,
    FINDINGS_HEADINGS,
    IMPRESSION_HEADINGS,
    count_tokens,
    parse_sections,
    report_text,
    split_sentences,
)

FREE_TEXT = """                                 FINAL REPORT
 EXAMINATION:  CHEST (PA AND LAT)

 INDICATION:  ___F with cough  // eval for infection

 COMPARISON:  None.

 FINDINGS:

 There is no focal consolidation. Small left
 pleural effusion.
 HEART: Normal in size.

 IMPRESSION:

 1. No acute cardiopulmonary process.
 2. Small effusion

 NOTIFICATION:  Discussed with Dr. ___.
"""

WORDS = st.sampled_from(
    "lungs are clear small effusion 1.9 cm Dr. XXXX vs. XXXX x-XXXX right-sided (LLL) T9-T10".split()
)
SENTENCES = st.lists(WORDS, min_size=1, max_size=6).map(lambda words: f"The {' '.join(words)} seen.")
GLUES = st.sampled_from([" ", "", "  ", ". ", " 2. ", "\n3) ", "\n\n", "\n- ", "2. "])


def test_sections_of_a_free_text_report():
    sections = parse_sections(FREE_TEXT)
    assert set(sections) == {"findings", "impression"}
    assert sections["findings"].split() == (
        "There is no focal consolidation. Small left pleural effusion. HEART: Normal in size.".split()
    )
    assert sections["impression"].splitlines() == [
        "1. No acute cardiopulmonary process.",
        " 2. Small effusion",
    ]


@pytest.mark.parametrize(
    ("text", "findings", "impression"),
    [
        ("Findings: Clear. Impression: Normal chest.", "Clear.", "Normal chest."),
        ("findings: clear\nimpression: normal", "clear", "normal"),
        ("FINDINGS\nClear.\nCONCLUSION\nNormal.", "Clear.", "Normal."),
        ("FINDINGS : Clear.\r\nIMPRESSIONS:Normal.\r\n", "Clear.", "Normal."),
        ("Cough. History: cough FINDINGS: Clear. CONCLUSIONS: Normal.", "Clear.", "Normal."),
        ("IMPRESSION: Normal.", "", "Normal."),
        ("FINDINGS AND IMPRESSION: Clear.", "Clear.", ""),
        ("IMPRESSION: One.\nTECHNIQUE: PA.\nIMPRESSION: Two.", "", "One.\nTwo."),
        (
            "FINDINGS: The findings: none. The impression of a mass.",
            "The findings: none. The impression of a mass.",
            "",
        ),
        ("CLINICAL FINDINGS: cough\nFINDINGS: Clear.", "Clear.", ""),
        ("PROVISIONAL FINDINGS IMPRESSION (PFI): draft\nIMPRESSION: Final.", "", "Final."),
        (
            "FINDINGS: No change in the\nimpression\nof a mass.",
            "No change in the\nimpression\nof a mass.",
            "",
        ),
        ("IMPRESSION:", "", ""),
        ("The lungs are clear, no other findings.", "", ""),
        ("", "", ""),
    ],
)
def test_section_headings(text, findings, impression):
    assert parse_sections(text) == {"findings": findings, "impression": impression}


def test_no_heading_stands_in_two_tables():
    names = [*FINDINGS_HEADINGS, *IMPRESSION_HEADINGS, *DROPPED_HEADINGS]
    assert len(names) == len(set(names)) and all(name == name.lower() for name in names)


@pytest.mark.parametrize("heading", DROPPED_HEADINGS)
def test_every_dropped_heading_ends_the_section_before(heading):
    text = f"FINDINGS: Clear.\n{heading.upper()}: gone\nIMPRESSION: Normal."
    assert parse_sections(text) == {"findings": "Clear.", "impression": "Normal."}


@given(st.text(alphabet="fF: \niIx.", max_size=40), st.text(alphabet="aB. \n", max_size=30))
@settings(deadline=None)
def test_text_before_the_first_heading_never_leaks(before, inside):
    sections = parse_sections(f"{before}\nFINDINGS:{inside}")
    assert sections == {"findings": inside.strip(), "impression": ""}


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("Lungs are clear. No effusion.", ["Lungs are clear.", "No effusion."]),
        ("In the left lung apex.There are opacities.", ["In the left lung apex.", "There are opacities."]),
        ("Clear.No effusion.XXXX sternotomy.", ["Clear.", "No effusion.", "XXXX sternotomy."]),
        ("1. No acute disease. 2. 8mm nodule.", ["No acute disease.", "8mm nodule."]),
        ("1.No acute disease.2. Stable.", ["No acute disease.", "Stable."]),
        ("1. No acute disease\n2. Stable\n", ["No acute disease", "Stable"]),
        ("Mass of 1.9 x 1.8 cm. Recommend CT.", ["Mass of 1.9 x 1.8 cm.", "Recommend CT."]),
        ("Old fractures of ribs 8 and 9. No mass.", ["Old fractures of ribs 8 and 9.", "No mass."]),
        ("Dr. XXXX was called at XXXX p.m. XXXX, XXXX.", ["Dr. XXXX was called at XXXX p.m. XXXX, XXXX."]),
        ("Called at 10 p.m. The lungs are clear.", ["Called at 10 p.m.", "The lungs are clear."]),
        ("Edema vs. pneumonia, e.g. viral.", ["Edema vs. pneumonia, e.g. viral."]),
        ("Seen in the U.S. before, old T.B scars.", ["Seen in the U.S. before, old T.B scars."]),
        ("Or infection? Follow up!", ["Or infection?", "Follow up!"]),
        ("No effusion.. No mass. .", ["No effusion.", "No mass."]),
        ("Normal (see above.) Heart\nis normal", ["Normal (see above.)", "Heart is normal"]),
        ("clear.\n\nheart normal", ["clear.", "heart normal"]),
        ("heart size normal\nlungs clear", ["heart size normal lungs clear"]),
        ("Chest x-XXXX. there is XXXX.", ["Chest x-XXXX.", "there is XXXX."]),
        (" . .. ", []),
        ("", []),
    ],
)
def test_sentences(text, sentences):
    assert split_sentences(text) == sentences


@given(st.lists(st.tuples(SENTENCES, GLUES), min_size=1, max_size=6))
@settings(deadline=None, max_examples=300)
def test_sentences_come_back_however_they_were_joined(parts):
    text = "".join(sentence + glue for sentence, glue in parts)
    assert split_sentences(text) == [sentence for sentence, _ in parts]


@given(st.text(alphabet="aB.1 ,-)(\nX?!e\u00e9", max_size=60))
@settings(deadline=None, max_examples=400)
def test_nothing_is_invented_or_reordered(text):
    sentences = split_sentences(text)
    letters = iter(re.sub(r"\s", "", text))
    assert all(letter in letters for letter in re.sub(r"\s", "", "".join(sentences)))  # a subsequence
    assert all(sentence == sentence.strip() and re.search(r"[^\W_]", sentence) for sentence in sentences)
    # What is left out has no letter.
    assert re.findall(r"[^\W\d_]", text) == re.findall(r"[^\W\d_]", "".join(sentences))


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        (" . ,", 0),
        ("XXXX XXXX/XXXX.", 0),
        ("___ ___", 0),
        ("Normal chest.", 2),
        ("Normal chest x-XXXX.", 3),
        ("No right-sided 1.9 cm nodule", 5),
    ],
)
def test_tokens_are_words_that_were_left_in(text, count):
    assert count_tokens(text) == count


def test_models_read_findings_then_impression_in_one_line():
    assert report_text("Clear.\n  No mass.", " Normal XXXX. ") == "Clear. No mass. Normal XXXX."
    assert report_text("", "Normal.") == "Normal."
    assert report_text(" \n", "") == ""


def test_real_reports_split_into_sentences_of_sane_length(shared):
    reports = pd.read_csv(shared / "data/openi-iu/indiana_reports.csv", dtype=str, keep_default_na=False)
    findings, impressions = reports["findings"].tolist(), reports["impression"].tolist()
    texts = findings + impressions
    sentences = [sentence for text in texts for sentence in split_sentences(text)]
    words = [re.findall(r"[A-Za-z]+", text) for text in (" ".join(texts), " ".join(sentences))]
    assert words[0] == words[1]
    assert 5.5 < len(sentences) / len(reports) < 6  # checked by eye on this set
    assert max(map(count_tokens, sentences)) < 90
    # No stop left inside but for decimals, times and titles.
    inner = [text for text in sentences if re.search(r"[a-z]{3}\.\s*[A-Z]", text)]
    assert inner == []
    whole = map(report_text, findings, impressions)
    assert sum(count_tokens(text) < 3 for text in whole) == 17
