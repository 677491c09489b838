"""What every reader does with a download that is not as it should be: one damage at a time."""

import zipfile
from pathlib import Path

import pytest
from tiny_download import cut, edit_table, ingest_root, table_text

from lib.data.layouts import LAYOUTS, write_layout
from lib.data.readers import READERS, open_reader
from lib.data.readers.official import PICTURE_SUFFIXES

NUM_STUDIES = 9
WITHOUT_FILES = ("phantom", "phantom_target")
WITHOUT_LAYOUT = ("openi", *WITHOUT_FILES)

NEEDED_COLUMNS = {
    "chexpert": ("CheXpert-v1.0-small/train.csv", "Path"),
    "covid19": ("metadata.csv", "patientid"),
    "csv": ("studies.csv", "patient_number"),
    "hannover": ("data.csv", "image_id"),
    "mimic_cxr": ("mimic-cxr-2.0.0-metadata.csv.gz", "study_id"),
    "nih": ("Data_Entry_2017_v2020.csv", "Patient ID"),
    "rsna": ("stage_2_train_labels.csv", "Target"),
    "vinbigdata": ("train.csv", "rad_id"),
}
"""Reader -> its main table and a column that it cannot do without."""

HEADERLESS = {
    "covidx": ("train_COVIDx4.txt", r"line 1: .* is not 'patient file class source'"),
    "kermany": ("chest_xray/train/NORMAL", "is not NORMAL or PNEUMONIA"),
    "mura": ("MURA-v1.1/train_labeled_studies.csv", "row 1 has 1 cells instead of 2"),
    "shenzhen": ("ChinaSet_AllFiles/CXR_png", "holds no picture. Official layout"),
}
"""Reader without a header to rename in -> what holds the same for it, and the error without."""


@pytest.fixture
def root(tmp_path, name) -> Path:
    write_layout(name, tmp_path / "root", num_studies=NUM_STUDIES, image_size=48)
    return tmp_path / "root"


def test_every_reader_is_tested():
    assert READERS.keys() == {*LAYOUTS, *WITHOUT_LAYOUT}, "give each reader a layout in lib/data/layouts"
    assert LAYOUTS.keys() == {*NEEDED_COLUMNS, *HEADERLESS}, "name a column here that the reader needs"


@pytest.mark.parametrize("name", LAYOUTS)
class TestDamagedDownload:
    def test_one_truncated_picture_is_one_drop(self, name, root):
        usable = [view for study in open_reader(name, root) for view in study.views if not view.refused]
        victim = usable[len(usable) // 2]
        assert victim.path.suffix in PICTURE_SUFFIXES
        cut(victim.path)
        store = ingest_root(name, root)
        damaged = store.drops[store.drops.rule == "unreadable_image"]
        assert damaged.view_id.tolist() == [victim.view_id]
        assert damaged.detail.iloc[0].startswith(f"{victim.path.name}: ")
        assert set(store.drops.rule) <= {"unreadable_image", "refused_view", "no_views"}
        kept = [view.view_id for view in usable if view.view_id != victim.view_id]
        assert store.views.view_id.tolist() == kept

    def test_a_renamed_column_is_named(self, name, root):
        if name in NEEDED_COLUMNS:
            file, column = NEEDED_COLUMNS[name]

            def rename(rows):
                rows[0] = ["renamed" if cell == column else cell for cell in rows[0]]

            assert column in table_text(root / file)
            edit_table(root / file, rename)
            message = f"{Path(file).name}.* has no column '{column}' .*found: .*renamed"
        else:
            file, message = HEADERLESS[name]
            rename_what_stands_for_a_column(root / file)
        with pytest.raises((ValueError, FileNotFoundError), match=message) as caught:
            open_reader(name, root)
        assert str(root) in str(caught.value)


@pytest.mark.parametrize("name", NEEDED_COLUMNS)
class TestDamagedTable:
    def test_a_table_that_is_cut_short_is_named(self, name, root):
        path = root / NEEDED_COLUMNS[name][0]
        lines = table_text(path).splitlines()
        assert len(lines) > 2

        def shorten(rows):
            del rows[-1][2:]

        edit_table(path, shorten)
        with pytest.raises(ValueError, match=rf"{path.name}.*row \d+ has 2 cells instead of \d+"):
            open_reader(name, root)

    def test_a_table_with_only_a_header_is_named(self, name, root):
        path = root / NEEDED_COLUMNS[name][0]

        def behead(rows):
            del rows[1:]

        edit_table(path, behead)
        with pytest.raises(ValueError, match=f"{path.name} has no rows"):
            open_reader(name, root)

    def test_an_empty_table_is_named(self, name, root):
        file = NEEDED_COLUMNS[name][0]
        (root / file).write_bytes(b"")
        with pytest.raises(
            ValueError, match=rf"{Path(file).name}.*([Ee]mpty|no rows|No columns|not readable)"
        ):
            open_reader(name, root)


@pytest.mark.parametrize("name", [name for name in READERS if name not in WITHOUT_FILES])
class TestRoot:
    def test_a_zip_is_to_be_unpacked(self, name, tmp_path):
        archive = tmp_path / "download.zip"
        with zipfile.ZipFile(archive, "w") as file:
            file.writestr("train.csv", "a,b\n")
        with pytest.raises(ValueError, match=r"root .*download\.zip is a zip archive; unpack it and give"):
            open_reader(name, archive)

    def test_a_folder_without_the_official_files_is_named(self, name, tmp_path):
        (tmp_path / "readme.txt").touch()
        with pytest.raises(FileNotFoundError, match=f"(?s){tmp_path}.*(layout|The root is a folder)"):
            open_reader(name, tmp_path)


def rename_what_stands_for_a_column(path: Path) -> None:
    """Rename a folder, or spoil the first line of a file."""
    if path.is_dir():
        path.rename(path.with_name("renamed"))
        return
    first, _, rest = path.read_text().partition("\n")
    spoiled = first.rpartition(",")[0] or " ".join(first.split()[:2])
    path.write_text(f"{spoiled}\n{rest}")
