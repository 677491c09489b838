"""Maps that tests only read."""

import pytest
from tiny_atlas import make_atlas, make_fine_tuning


@pytest.fixture(scope="module")
def roots(convirt):
    """Point to the runs of the tiny ConVIRT."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBENCH_RUNS", str(convirt.run.folder.parent))
        yield convirt.run.folder.parent


@pytest.fixture(scope="module")
def atlas(convirt, roots):
    return make_atlas(convirt.run)


@pytest.fixture(scope="module")
def tuned(convirt, roots):
    return make_fine_tuning(convirt.made, roots)
