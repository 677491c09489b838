"""The split lists that the REFERS authors published load, with their counts and with the drift of one."""

import csv
import importlib.util
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lib.data.audit import audit, parts_of
from lib.data.ingest import ingest
from lib.data.readers import open_reader, read
from lib.data.readers.official import read_split_lists
from lib.data.splits import SPLITS, make_manifest

COUNTS = {
    "nih": {"validation": 11_219, "test": 22_433},  # the list of the training pictures is not published
    "vinbigdata": {"train": 10_500, "validation": 1_500, "test": 3_000},
    "shenzhen": {"train": 463, "validation": 67, "test": 132},
    "covid19": {"train": 664, "validation": 93, "test": 172},
}


@pytest.mark.parametrize("name", COUNTS)
def test_every_list_has_its_count(shared, name):
    assert Counter(read_split_lists(shared / "published" / "splits" / name, name).values()) == COUNTS[name]


def test_what_the_lists_of_nih_leave_is_for_training(shared, tmp_path):
    package = importlib.util.find_spec("torchxrayvision")
    if package is None:
        pytest.skip("no public table here: it lies in torchxrayvision, which make env fetches for it")
    table = Path(package.origin).parent / "data" / "Data_Entry_2017_v2020.csv.gz"
    shutil.copy(table, tmp_path)
    lists = shared / "published" / "splits" / "nih"
    pictures, patients = Counter(), {split: set() for split in SPLITS}
    for study in read("nih", tmp_path, split_lists=str(lists)):
        pictures[study.split] += 1
        patients[study.split].add(study.patient_id)
    assert pictures == COUNTS["nih"] | {"train": 78_468} and pictures.total() == 112_120
    assert [len(patients[split]) for split in SPLITS] == [21_528, 3_090, 6_187]
    assert len(set.union(*patients.values())) == 21_528 + 3_090 + 6_187  # nobody is in two parts


def write_collection(root: Path, is_covid: dict[str, bool]) -> None:
    """Write the COVID-19 collection in its official layout: a patient for each file, a picture of noise."""
    (root / "images").mkdir(parents=True)
    random = np.random.default_rng(0)
    with open(root / "metadata.csv", "w", newline="") as table:
        rows = csv.writer(table)
        rows.writerow(
            ["patientid", "offset", "sex", "age", "finding", "view", "modality", "folder", "filename"]
        )
        for number, (file, covid) in enumerate(is_covid.items()):
            # "Pneumonia" of no stated cause: the lists say no more than that it is another disease
            finding = "Pneumonia/Viral/COVID-19" if covid else "Pneumonia"
            rows.writerow([number, 0, "F", 50, finding, "PA", "X-ray", "images", file])
            pixels = random.integers(0, 255, (48, 48), dtype=np.uint8)
            Image.fromarray(pixels).save(root / "images" / file)


def test_the_audit_warns_of_the_drift_of_the_covid_list(shared, tmp_path):
    lists = shared / "published" / "splits" / "covid19"
    is_covid: dict[str, bool] = {}
    shares: dict[str, float] = {}
    for split, name in zip(SPLITS, ("train.txt", "val.txt", "test.txt"), strict=True):
        rows = [line.split() for line in (lists / name).read_text().splitlines()]
        is_covid |= {file: covid == "1" for file, _, covid in rows}
        shares[split] = sum(covid == "1" for _, _, covid in rows) / len(rows)
    assert [f"{share:.0%}" for share in shares.values()] == ["54%", "73%", "81%"]

    write_collection(tmp_path / "collection", is_covid)
    reader = open_reader("covid19", tmp_path / "collection", split_lists=str(lists))
    store = ingest(reader, tmp_path / "store", image_size=32, workers=0, progress=False)
    manifest = make_manifest(store)
    assert {split: len(manifest.rows(split)) for split in SPLITS} == COUNTS["covid19"]
    assert manifest.official == SPLITS and store.drops.empty

    column = store.label_names.index("COVID-19")
    for split, share in shares.items():
        assert store.labels[manifest.rows(split), column].mean() == pytest.approx(share)
    findings = [
        (found.kind, found.border, found.count, found.examples) for found in audit(parts_of(store, manifest))
    ]
    assert findings == [
        ("prevalence drift", "train of store and validation of store", 1, ("COVID-19 54% and 73%",)),
        ("prevalence drift", "train of store and test of store", 1, ("COVID-19 54% and 81%",)),
    ]
