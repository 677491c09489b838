"""The store opens what it should, refuses the rest, and its id follows from its tables."""

import hashlib
import json

import numpy as np
import pyarrow.parquet as pq
import pytest
from tiny_store import make_store

from lib.data.reports import report_text
from lib.data.store import FILES, Store, content_id, hash_rows


@pytest.fixture
def store(tmp_path):
    return make_store(tmp_path / "store")


def rewrite_about(store: Store, **changes) -> None:
    path = store.path / "store.json"
    about = json.loads(path.read_text()) | changes
    path.unlink()
    path.write_text(json.dumps(about))


def test_attributes(store):
    assert (store.name, store.image_size, store.label_names) == ("tiny", 32, ("Edema", "Pneumothorax"))
    assert store.has_reports and store.synthetic and len(store) == 12
    assert sorted(file.name for file in store.path.iterdir()) == sorted(FILES)
    assert store.labels.dtype == np.float32 and store.labels.shape == (12, 2)
    assert store.texts == [report_text(*row) for row in store.studies[["findings", "impression"]].to_numpy()]
    assert "12 studies" in repr(store) and store.id[:12] in repr(store)


def test_views_of_a_study_are_neighbours(store):
    np.testing.assert_array_equal(np.diff(store.view_offsets), [1, 2, 3, 4] * 3)
    assert store.view_offsets[-1] == len(store.views) == len(store.images)


def test_images_are_a_fresh_read_only_map(store):
    images = store.images
    assert isinstance(images, np.memmap) and images.dtype == np.uint8 and images.shape[1:] == (32, 32)
    assert images is not store.images
    with pytest.raises(ValueError, match="read-only"):
        images[0] = 0


def test_the_id_follows_from_the_tables(store):
    digests = []
    for name in ("studies", "views", "boxes"):
        table = pq.read_table(store.path / f"{name}.parquet")
        digest = hashlib.sha256(json.dumps(table.schema.names).encode())
        hash_rows(digest, table)
        digests.append(digest.hexdigest())
    assert content_id(32, store.label_names, digests) == store.id
    hashes = [hashlib.sha1(image.tobytes()).hexdigest() for image in store.images]
    assert list(store.views.sha1) == hashes


def test_text_columns_survive(tmp_path, store):
    empty = store.studies[store.studies.sex == ""]
    assert len(empty) == 4 and (store.studies.split == "").all()


def test_a_missing_store_names_the_fix(tmp_path):
    with pytest.raises(FileNotFoundError, match="workbench ingest"):
        Store(tmp_path / "nothing")
    with pytest.raises(FileNotFoundError, match="is not a store"):
        Store(tmp_path)


def test_a_store_of_another_version_is_refused(store):
    rewrite_about(store, format=99)
    with pytest.raises(ValueError, match=r"store\.json has store format 99.*ingest again"):
        Store(store.path)


def test_damage_is_noticed(store):
    rewrite_about(store, num_views=31)
    with pytest.raises(ValueError, match=r"images\.npy.*damaged"):
        Store(store.path)
    (store.path / "views.parquet").unlink()
    with pytest.raises(FileNotFoundError, match=r"views\.parquet is missing"):
        Store(store.path)
