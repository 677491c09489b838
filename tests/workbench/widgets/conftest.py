import pytest

from lib.data.ingest import ingest
from lib.data.readers import open_reader


@pytest.fixture(scope="session")
def phantom_store(tmp_path_factory):
    """Return a store of a few small phantom studies."""
    reader = open_reader("phantom", studies=12, image_size=64)
    return ingest(
        reader, tmp_path_factory.mktemp("store") / "phantom", image_size=64, workers=0, progress=False
    )
