import shutil

import pytest
from tiny_flags import flag_views

from lib.data.ingest import ingest
from lib.data.readers import open_reader
from lib.data.store import Store


@pytest.fixture(scope="session")
def phantom_store(tmp_path_factory):
    """Return a store of a few small phantom studies."""
    reader = open_reader("phantom", studies=12, image_size=64)
    return ingest(
        reader, tmp_path_factory.mktemp("store") / "phantom", image_size=64, workers=0, progress=False
    )


@pytest.fixture(scope="module")
def flagged_store(phantom_store, tmp_path_factory):
    """Return the same studies; four views are flagged, one of them as a copy of the first."""
    path = tmp_path_factory.mktemp("flagged") / "phantom"
    shutil.copytree(phantom_store.path, path)
    flags = {3: "inverted", 9: "identical", 12: "inverted", 15: "blank"}
    flag_views(path, flags, twins={9: 0})
    return Store(path)
