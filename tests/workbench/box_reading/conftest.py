import pytest

from tests.tiny_boxes import PlantedSource, make_store


@pytest.fixture(scope="session")
def boxed_store(tmp_path_factory):
    """Return small phantom studies with boxes of three readers."""
    return make_store(tmp_path_factory.mktemp("boxed"))


@pytest.fixture
def planted(boxed_store, tmp_path):
    """Return a function that makes a model with known maps; its run folder is temporary."""
    return lambda **options: PlantedSource(options.pop("store", boxed_store), tmp_path, **options)
