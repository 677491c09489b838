import gzip
import itertools
import math
import shutil
from collections import Counter

import pytest
from reading_back import check_layout

from lib.data.ingest import ingest
from lib.data.layouts import write_layout
from lib.data.readers import open_reader, read
from lib.data.readers.mimic_cxr import LABEL_TABLES, METADATA, SPLIT

CHEXPERT = LABEL_TABLES["chexpert"]


@pytest.fixture
def root(tmp_path):
    write_layout("mimic_cxr", tmp_path, num_studies=10, image_size=64)
    return tmp_path


def change(root, name, old, new, count=-1):
    """Change a packed table."""
    path = root / f"{name}.gz"
    text = gzip.decompress(path.read_bytes()).decode()
    assert old in text
    path.write_bytes(gzip.compress(text.replace(old, new, count).encode()))


def rows_of(root, name):
    return gzip.decompress((root / f"{name}.gz").read_bytes()).decode().splitlines()


def test_the_phantom_in_this_layout_reads_back(tmp_path):
    studies = check_layout("mimic_cxr", tmp_path, num_studies=24)
    assert Counter(study.split for study in studies).keys() == {"train", "validation", "test"}
    positions = {view.position for study in studies for view in study.views}
    assert positions == {"PA", "AP", "LATERAL"} and max(len(study.views) for study in studies) > 1
    assert {len(study.study_id) for study in studies} == {8}
    values = Counter(str(value) for study in studies for value in study.labels.values())
    assert values["1.0"] and values["0.0"] and values["nan"]
    assert all(study.findings and study.impression for study in studies)
    assert any("\n" in study.findings for study in studies)  # lines as in the file
    assert not any("shortness of breath" in study.findings for study in studies)  # from another section


def test_it_has_as_many_studies_as_it_says(root):
    reader = open_reader("mimic_cxr", root)
    assert len(reader) == len(list(reader)) == len(list(reader)) == 10


def test_policies_for_unsure_and_unsaid(root):
    cells = [cell for row in rows_of(root, CHEXPERT)[1:] for cell in row.split(",")[2:]]
    counts = Counter(cells)
    assert counts["-1.0"] > 5 and counts[""] > 5
    for uncertain, blank in itertools.product(("ignore", "zeros", "ones"), ("ignore", "zeros")):
        reader = open_reader("mimic_cxr", root, uncertain=uncertain, blank=blank)
        values = Counter(str(value) for study in reader for value in study.labels.values())
        ones = counts["1.0"] + counts["-1.0"] * (uncertain == "ones")
        zeros = counts["0.0"] + counts["-1.0"] * (uncertain == "zeros") + counts[""] * (blank == "zeros")
        assert (values["1.0"], values["0.0"]) == (ones, zeros)
        assert values.total() == len(cells)
    assert "unsaid as absent" in reader.label_noise


def test_reports_in_a_root_of_their_own(root, tmp_path_factory):
    expected = {study.study_id: study.findings for study in read("mimic_cxr", root)}
    for inner in ("files", "mimic-cxr-reports/files", "."):
        other = tmp_path_factory.mktemp("reports")
        for report in sorted(root.glob("files/p*/p*/*.txt")):
            target = other / inner / report.relative_to(root / "files")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(report, target)
        studies = read("mimic_cxr", root, reports_root=str(other))
        assert {study.study_id: study.findings for study in studies} == expected
    for report in root.glob("files/p*/p*/*.txt"):
        report.unlink()
    with pytest.raises(FileNotFoundError, match="none of 10 reports.*mimic-cxr-reports.zip"):
        open_reader("mimic_cxr", root)
    assert next(read("mimic_cxr", root, reports_root=str(other))).findings


def test_a_study_without_report_is_counted(root, tmp_path_factory):
    study = next(read("mimic_cxr", root))
    (root / f"files/p{study.patient_id[:2]}/p{study.patient_id}/s{study.study_id}.txt").unlink()
    assert next(read("mimic_cxr", root)).findings == ""
    reader = open_reader("mimic_cxr", root)
    store = ingest(reader, tmp_path_factory.mktemp("out") / "s", image_size=32, workers=0, progress=False)
    assert len(store.studies) == 9
    assert store.drops[["study_id", "rule"]].values.tolist() == [[study.study_id, "report_too_short"]]


def test_a_report_without_known_sections_has_no_text(root):
    study = next(read("mimic_cxr", root))
    report = root / f"files/p{study.patient_id[:2]}/p{study.patient_id}/s{study.study_id}.txt"
    report.write_bytes(b" FINAL REPORT\n WET READ: Lungs are clear \x96 no effusion.\n")
    first = next(read("mimic_cxr", root))
    assert (first.findings, first.impression) == ("", "")


def test_pictures_of_another_kind_and_missing_ones(root):
    study = next(study for study in read("mimic_cxr", root) if len(study.views) > 1)
    first, second = (view.path for view in study.views[:2])
    first.rename(first.with_suffix(".dcm"))
    second.unlink()
    again = next(other for other in read("mimic_cxr", root) if other.study_id == study.study_id)
    assert again.views[0].path == first.with_suffix(".dcm")
    assert again.views[1].path == second and not again.views[1].refused  # where it should be


def test_no_picture_is_opened_while_reading(root):
    expected = [study.study_id for study in read("mimic_cxr", root)]
    for picture in root.rglob("*.jpg"):
        picture.write_bytes(b"not a picture")
    assert [study.study_id for study in read("mimic_cxr", root)] == expected


def test_unpacked_tables_and_the_other_labeller(root):
    for name in (METADATA, SPLIT, *LABEL_TABLES.values()):
        (root / name).write_bytes(gzip.decompress((root / f"{name}.gz").read_bytes()))
        (root / f"{name}.gz").unlink()
    negbio = root / LABEL_TABLES["negbio"]
    lines = negbio.read_text().splitlines()
    ids = ",".join(lines[1].split(",")[:2])
    negbio.write_text("\n".join([lines[0], ids + ",1.0" * 14, *lines[2:]]))
    labels = {name: next(read("mimic_cxr", root, labels=name)).labels for name in LABEL_TABLES}
    assert set(labels["negbio"].values()) == {1.0} != set(labels["chexpert"].values())
    with pytest.raises(ValueError, match="labels='chexbert' is not one of chexpert, negbio"):
        open_reader("mimic_cxr", root, labels="chexbert")


def test_a_study_without_labels_has_none(root):
    line = rows_of(root, CHEXPERT)[1]
    change(root, CHEXPERT, line + "\n", "")
    options = {"uncertain": "zeros", "blank": "zeros"}
    first, second = itertools.islice(read("mimic_cxr", root, **options), 2)
    assert all(math.isnan(value) for value in first.labels.values()) and len(first.labels) == 14
    assert not any(math.isnan(value) for value in second.labels.values())


@pytest.mark.parametrize(
    ("written", "position"),
    {"PA LLD": "PA", "AP AXIAL": "AP", "XTABLE LATERAL": "LATERAL", "SWIMMERS": "UNKNOWN", "": "UNKNOWN",
     "LAO": "UNKNOWN", "NEW": "UNKNOWN"}.items(),
)  # fmt: skip
def test_odd_view_positions(root, written, position):
    row = rows_of(root, METADATA)[1]
    cells = row.split(",")
    change(root, METADATA, row, ",".join([*cells[:4], written, *cells[5:]]))
    assert next(read("mimic_cxr", root)).views[0].position == position


def test_rows_of_a_study_need_not_be_neighbours(root):
    expected = {study.study_id: {view.view_id for view in study.views} for study in read("mimic_cxr", root)}
    header, *rows = rows_of(root, METADATA)
    text = "\n".join([header, *rows[::2], *rows[1::2]])
    (root / f"{METADATA}.gz").write_bytes(gzip.compress(text.encode()))
    found = {study.study_id: {view.view_id for view in study.views} for study in read("mimic_cxr", root)}
    assert found == expected


def test_a_picture_id_that_leads_out_is_refused(root):
    dicom = next(read("mimic_cxr", root)).views[0].view_id
    for name in (METADATA, SPLIT):
        change(root, name, dicom, "../../../../secret")
    view = next(read("mimic_cxr", root)).views[0]
    assert view.path is None and "leads out of the root" in view.refused


@pytest.mark.parametrize("written", ["", "10000000.0", "../10000", "1000000"])
def test_a_patient_id_that_is_none_is_named(root, written):
    change(root, METADATA, ",10000000,", f",{written},", 1)
    with pytest.raises(ValueError, match=f"row 1: subject_id is '{written}', not a number of eight digits"):
        open_reader("mimic_cxr", root)


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        (METADATA, "ViewPosition", "View", "has no column 'ViewPosition'"),
        (SPLIT, "split\n", "fold\n", "has no column 'split'"),
        (SPLIT, ",train\n", ",training\n", "row 1: split is 'training', not one of train, validate, test"),
        (CHEXPERT, "Lung Lesion", "Lesion", "has no column 'Lung Lesion'"),
        (CHEXPERT, ",1.0", ",3.0", "is 3, not 1, 0, -1 or empty"),
        (CHEXPERT, ",50000001,", ",50000000,", "row 2: study_id '50000000' stands in an earlier row"),
    ],
)
def test_bad_tables_are_named(root, name, old, new, message):
    change(root, name, old, new, 1)
    with pytest.raises(ValueError, match=f"{name}.gz.*{message}"):
        open_reader("mimic_cxr", root)


def test_a_study_in_two_splits_is_named(root):
    study = next(study for study in read("mimic_cxr", root) if len(study.views) > 1)
    row = next(row for row in rows_of(root, SPLIT) if row.startswith(study.views[1].view_id))
    other = "test" if study.split != "test" else "train"
    change(root, SPLIT, row, ",".join([*row.split(",")[:3], other]))
    with pytest.raises(ValueError, match=f"pictures of study {study.study_id} are not all in one split"):
        open_reader("mimic_cxr", root)


def test_a_study_that_no_split_names_has_none(root):
    study = next(read("mimic_cxr", root))
    for row in rows_of(root, SPLIT):
        if f",{study.study_id}," in row:
            change(root, SPLIT, row + "\n", "")
    splits = [other.split for other in read("mimic_cxr", root)]
    assert splits[0] == "" and "" not in splits[1:]


@pytest.mark.parametrize("name", [METADATA, SPLIT, CHEXPERT])
def test_a_missing_table_is_named(root, name):
    (root / f"{name}.gz").unlink()
    with pytest.raises(FileNotFoundError, match=f"{name} is missing.*physionet.org/content/mimic-cxr-jpg"):
        open_reader("mimic_cxr", root)
