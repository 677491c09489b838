import math
import pickle

import pytest

from lib.data.chexpert_labels import CHEXPERT_LABELS
from lib.data.readers import open_reader, read
from lib.data.readers.openi import official_image_id

REPORTS = """uid,MeSH,Problems,image,indication,comparison,findings,impression
1,normal,normal,Chest PA and Lateral,Test,None.,Lungs are clear. There are no XXXX.,Normal chest x-XXXX.
2,Cardiomegaly/borderline;Opacity/lung/base/left,Cardiomegaly;Opacity,Chest,Pain,,,"Borderline heart, XXXX."
30,No Indexing,No Indexing,Chest,Pain,,NA,
"""
PROJECTIONS = """uid,filename,projection
1,1_IM-0001-4001.dcm.png,Frontal
1,1_IM-0001-3001.dcm.png,Lateral
2,2_IM-0652-0001-0002.dcm.png,Lateral
30,30_IM-0009-1001.dcm.png,Frontal
"""
SIZES = """file,original_file_name,uid,official_image_id,projection,dicom_columns,dicom_rows,width,height
images/1_IM-0001-4001.dcm.jpg,1_IM-0001-4001.dcm.png,1,CXR1_1_IM-0001-4001,Frontal,2000,2500,256,256
images/1_IM-0001-3001.dcm.jpg,1_IM-0001-3001.dcm.png,1,CXR1_1_IM-0001-3001,Lateral,,,256,256
"""
XML = """<?xml version="1.0" encoding="utf-8"?>
<eCitation>
  <uId id="CXR{uid}"/>
  <MedlineCitation><Article><Abstract>
    <AbstractText Label="COMPARISON">None.</AbstractText>
    <AbstractText Label="INDICATION">Pain</AbstractText>
    {findings}
    <AbstractText Label="IMPRESSION">{impression}</AbstractText>
  </Abstract></Article></MedlineCitation>
  <MeSH>{headings}<automatic>opacity</automatic></MeSH>
  {images}
</eCitation>
"""


def write_xml(folder, uid, headings=(), findings=None, impression="", images=()):
    said = (
        "<AbstractText Label='FINDINGS'/>"
        if findings is None
        else f"<AbstractText Label='FINDINGS'>{findings}</AbstractText>"
    )
    folder.mkdir(parents=True, exist_ok=True)
    text = XML.format(
        uid=uid,
        findings=said,
        impression=impression,
        headings="".join(f"<major>{heading}</major>" for heading in headings),
        images="".join(
            f'<parentImage id="{image}"><caption>Chest</caption></parentImage>' for image in images
        ),
    )
    (folder / f"{uid}.xml").write_text(text, encoding="utf-8")


@pytest.fixture
def tables(tmp_path):
    """Three studies in the layout of the tables; the picture of study 30 is listed and absent."""
    (tmp_path / "images").mkdir()
    for name in ("1_IM-0001-4001.dcm.png", "1_IM-0001-3001.dcm.jpg", "2_IM-0652-0001-0002.dcm.png"):
        (tmp_path / "images" / name).touch()
    (tmp_path / "indiana_reports.csv").write_text(REPORTS)
    (tmp_path / "indiana_projections.csv").write_text(PROJECTIONS)
    return tmp_path


@pytest.fixture
def xml(tmp_path):
    """The same in the layout of the original download, plus a report without any picture."""
    folder = tmp_path / "ecgen-radiology"
    first = ("CXR1_1_IM-0001-4001", "CXR1_1_IM-0001-3001")
    write_xml(folder, 1, ["normal"], "Lungs are clear. There are no XXXX.", "Normal chest x-XXXX.", first)
    second = ["Cardiomegaly/borderline", "Opacity/lung/base/left"]
    write_xml(folder, 2, second, None, "Borderline heart, XXXX.", ["CXR2_IM-0652-0001-0002"])
    write_xml(folder, 10, ["normal"], "Heart size &lt; 15 cm.", "")
    write_xml(folder, 30, ["No Indexing"], "NA", "", ["CXR30_IM-0009-1001"])
    (tmp_path / "images").mkdir()
    for name in ("CXR1_1_IM-0001-4001.png", "CXR1_1_IM-0001-3001.png", "CXR2_IM-0652-0001-0002.png"):
        (tmp_path / "images" / name).touch()
    return tmp_path


def test_tables_give_studies_views_texts_and_labels(tables):
    reader = open_reader("openi", tables)
    first, second, third = studies = list(reader)
    assert len(reader) == 3 and [study.study_id for study in studies] == ["1", "2", "30"]
    assert all(
        study.patient_id == study.study_id and tuple(study.labels) == CHEXPERT_LABELS for study in studies
    )
    assert (
        first.findings == "Lungs are clear. There are no XXXX." and first.impression == "Normal chest x-XXXX."
    )
    assert [view.view_id for view in first.views] == ["CXR1_1_IM-0001-4001", "CXR1_1_IM-0001-3001"]
    assert [view.position for view in first.views] == ["FRONTAL", "LATERAL"]
    assert [view.path.name for view in first.views] == ["1_IM-0001-4001.dcm.png", "1_IM-0001-3001.dcm.jpg"]
    assert all(view.aspect is None for view in first.views)
    assert first.labels["No Finding"] == 1.0 and sum(first.labels.values()) == 1.0
    assert (second.findings, second.impression) == ("", "Borderline heart, XXXX.")
    assert {name for name, value in second.labels.items() if value} == {"Cardiomegaly", "Lung Opacity"}
    assert third.findings == "NA" and all(math.isnan(value) for value in third.labels.values())


def test_a_listed_picture_that_is_absent_stays_a_view(tables):
    (view,) = list(read("openi", tables))[2].views
    assert view.path == tables / "images" / "30_IM-0009-1001.dcm.png" and not view.path.exists()


def test_sizes_restore_the_aspect_where_known(tables):
    (tables / "sizes.csv").write_text(SIZES)
    first = next(read("openi", tables))
    assert [view.aspect for view in first.views] == [0.8, None]


def test_pictures_without_a_report_row_become_a_study_without_a_report(tables):
    with open(tables / "indiana_projections.csv", "a") as handle:
        handle.write("77,77_IM-0001-1001.dcm.png,Frontal\n")
    reader = open_reader("openi", tables)
    last = list(reader)[-1]
    assert len(reader) == 4 and last.study_id == "77" and len(last.views) == 1
    assert last.findings == last.impression == "" and math.isnan(last.labels["Edema"])


def test_a_report_row_without_pictures_and_a_double_row_are_left_to_ingest(tables):
    with open(tables / "indiana_reports.csv", "a") as handle:
        handle.write("8,normal,normal,Chest,,,Clear lungs.,\n2,normal,normal,Chest,,,Twice.,\n")
    reader = open_reader("openi", tables)
    studies = list(reader)
    assert len(reader) == len(studies) == 5
    assert [study.study_id for study in studies].count("2") == 2 and studies[3].views == ()


def test_xml_gives_the_same_studies_without_positions(xml, tmp_path_factory):
    reader = open_reader("openi", xml)
    first, second, third, fourth = studies = list(reader)
    assert len(reader) == 4 and [study.study_id for study in studies] == ["1", "2", "10", "30"]  # by number
    assert (
        first.findings == "Lungs are clear. There are no XXXX." and first.impression == "Normal chest x-XXXX."
    )
    assert [view.view_id for view in first.views] == ["CXR1_1_IM-0001-4001", "CXR1_1_IM-0001-3001"]
    assert {view.position for study in studies for view in study.views} == {"UNKNOWN"}
    assert all(view.path.is_file() for view in first.views + second.views)
    assert second.findings == "" and second.impression == "Borderline heart, XXXX."
    assert {name for name, value in second.labels.items() if value} == {"Cardiomegaly", "Lung Opacity"}
    assert third.views == () and third.findings == "Heart size < 15 cm." and third.labels["No Finding"] == 1.0
    assert fourth.views[0].path == xml / "images" / "CXR30_IM-0009-1001.png"
    assert not fourth.views[0].path.exists() and math.isnan(fourth.labels["No Finding"])


def test_xml_takes_positions_from_the_projections_where_they_are(xml):
    (xml / "indiana_projections.csv").write_text(PROJECTIONS)
    first = next(read("openi", xml))
    assert [view.position for view in first.views] == ["FRONTAL", "LATERAL"]


def test_tables_are_preferred_and_the_layout_can_be_chosen(tables):
    write_xml(tables / "ecgen-radiology", 1, ["normal"], "From the XML.", "", ["CXR1_1_IM-0001-4001"])
    assert len(open_reader("openi", tables)) == 3
    (only,) = read("openi", tables, layout="xml")
    assert only.findings == "From the XML." and only.views[0].path.name == "1_IM-0001-4001.dcm.png"
    with pytest.raises(ValueError, match="layout 'dicom' is not one of auto, tables, xml"):
        open_reader("openi", tables, layout="dicom")


@pytest.mark.parametrize("folder", ["images/images_normalized", "NLMCXR_png", "."])
def test_other_usual_image_folders_are_found(tables, folder):
    (tables / folder).mkdir(parents=True, exist_ok=True)
    for file in list((tables / "images").glob("*IM*")):
        file.rename(tables / folder / file.name)
    assert [view.path.is_file() for study in read("openi", tables) for view in study.views] == [True] * 3 + [
        False
    ]


@pytest.mark.parametrize(
    ("name", "image_id"),
    [
        ("1_IM-0001-4001.dcm.png", "CXR1_1_IM-0001-4001"),
        ("1000_IM-0003-1001.dcm.jpg", "CXR1000_IM-0003-1001"),
        ("1942_IM-0611-0001-0001.dcm.png", "CXR1942_IM-0611-0001-0001"),
        ("CXR1_1_IM-0001-3001.png", "CXR1_1_IM-0001-3001"),
        ("CXR10_IM-0002-1001.PNG", "CXR10_IM-0002-1001"),
    ],
)
def test_the_official_id_from_either_naming(name, image_id):
    assert official_image_id(name) == image_id


def test_a_missing_root_says_what_belongs_there(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere.*indiana_reports.csv.*ecgen-radiology"):
        open_reader("openi", tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match="--root"):
        open_reader("openi")


@pytest.mark.parametrize("name", ["indiana_reports.csv", "indiana_projections.csv"])
def test_a_missing_table_is_named(tables, name):
    (tables / name).unlink()
    with pytest.raises(FileNotFoundError, match=f"{name} is missing. Official layouts"):
        open_reader("openi", tables)


def test_missing_reports_and_pictures_are_named(tables):
    with pytest.raises(FileNotFoundError, match="ecgen-radiology holds no report file"):
        open_reader("openi", tables, layout="xml")
    for file in (tables / "images").iterdir():
        file.unlink()
    with pytest.raises(FileNotFoundError, match=r"images holds no picture .*NLMCXR_png.tgz"):
        open_reader("openi", tables)


@pytest.mark.parametrize(
    ("text", "told"),
    [("uid,MeSH,findings\n1,normal,x\n", "no column 'impression'"), ("", "not readable CSV")],
)
def test_a_damaged_table_is_named(tables, text, told):
    (tables / "indiana_reports.csv").write_text(text)
    with pytest.raises(ValueError, match=f"indiana_reports.csv .*{told}|indiana_reports.csv is {told}"):
        open_reader("openi", tables)


def test_a_damaged_report_is_named(xml):
    (xml / "ecgen-radiology" / "2.xml").write_text("<eCitation><uId")
    with pytest.raises(ValueError, match="2.xml is not readable XML"):
        list(read("openi", xml))


def test_a_report_of_unknown_encoding_is_named(xml):
    (xml / "ecgen-radiology" / "2.xml").write_text('<?xml version="1.0" encoding="klingon"?><a/>')
    with pytest.raises(ValueError, match="2.xml is not readable XML"):
        list(read("openi", xml))


def test_a_report_without_an_id_has_that_of_its_file(xml):
    path = xml / "ecgen-radiology" / "2.xml"
    path.write_text(path.read_text().replace('id="CXR2"', 'id=""'))
    assert [study.patient_id for study in read("openi", xml)] == ["1", "2", "10", "30"]


def test_the_notes_of_another_system_are_no_reports(xml):
    (xml / "ecgen-radiology" / "._2.xml").write_bytes(b"Mac OS X")
    (xml / "images" / "._CXR30_IM-0009-1001.png").write_bytes(b"Mac OS X")
    *_, last = read("openi", xml)
    assert len(open_reader("openi", xml)) == 4
    assert last.views[0].path == xml / "images" / "CXR30_IM-0009-1001.png"


@pytest.mark.parametrize("size", ["0,2500", "-3,2500", "inf,2500", "wide,2500"])
def test_a_size_that_makes_no_sense_is_named(tables, size):
    (tables / "sizes.csv").write_text(SIZES.replace("2000,2500", size))
    with pytest.raises(ValueError, match="sizes.csv, row 1: "):
        open_reader("openi", tables)


def test_studies_travel_to_the_workers(tables):
    studies = list(read("openi", tables))
    assert [copy.views for copy in pickle.loads(pickle.dumps(studies))] == [study.views for study in studies]


@pytest.fixture(scope="module")
def pack(shared):
    return shared / "data" / "openi-iu"


def test_the_real_tables_hold_what_their_readme_says(pack):
    reader = open_reader("openi", pack)
    studies = list(reader)
    views = [view for study in studies for view in study.views]
    there = {view.view_id for view in views if view.path.is_file()}
    assert len(reader) == len(studies) == len({study.study_id for study in studies}) == 2914
    assert len(views) == len({view.view_id for view in views}) == 5655
    assert len(there) == 5625
    missing = {view.path.name for view in views if view.view_id not in there}
    assert missing == set((pack / "missing_images.txt").read_text().split()) and len(missing) == 30
    assert sum(any(view.view_id in there for view in study.views) for study in studies) == 2897
    positions = [view.position for view in views if view.view_id in there]
    assert (positions.count("FRONTAL"), positions.count("LATERAL")) == (2870, 2755)
    assert sum(view.aspect is not None for view in views) == 5622
    assert sum(study.findings == "" for study in studies) == 380
    assert sum(study.impression == "" for study in studies) == 22
    assert sum(study.findings == study.impression == "" for study in studies) == 17
    assert sum("XXXX" in study.findings + study.impression for study in studies) == 1364


def test_the_real_labels_are_as_frequent_as_counted_by_hand(pack):
    studies = list(read("openi", pack))
    known = [study for study in studies if not math.isnan(study.labels["No Finding"])]
    counts = {name: int(sum(study.labels[name] for study in known)) for name in CHEXPERT_LABELS}
    assert len(studies) - len(known) == 70
    assert counts["No Finding"] == 1009
    # One heading each: the counts of the heading itself in the column Problems.
    problems = {"Atelectasis": 241, "Pneumonia": 31, "Consolidation": 22, "Fracture": 60}
    assert {name: counts[name] for name in problems} == problems
    assert min(counts.values()) >= 15 and counts["Cardiomegaly"] == 288


def test_the_real_xml_agrees_with_the_tables(pack):
    tables = {study.study_id: study for study in read("openi", pack, layout="tables")}
    reports = list(read("openi", pack, layout="xml"))
    assert len(reports) == 2990
    assert sum(study.views == () for study in reports) == 76
    extra = []
    for study in reports:
        twin = tables.pop(study.study_id, None)
        if twin is None:
            assert study.views == ()
            continue
        assert (study.findings, study.impression) == (twin.findings, twin.impression)
        assert str(study.labels) == str(twin.labels)  # as text: NaN equals NaN
        views, expected = ({view.view_id: view for view in part.views} for part in (study, twin))
        extra += sorted(views.keys() - expected.keys())
        assert all(views[name].position == view.position for name, view in expected.items())
        assert all(views[name].path == view.path for name, view in expected.items() if view.path.is_file())
    # The tables leave out this one picture, which nobody has.
    assert tables == {} and extra == ["CXR2560_IM-1064-4001"]
