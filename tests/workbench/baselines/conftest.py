"""Baselines trained for a few steps, each once."""

import functools
from collections.abc import Callable

import pytest
from tiny_baselines import make_store, train_baseline

from workbench.runs import Run


@pytest.fixture(scope="session")
def trained(tmp_path_factory) -> Callable[[str], Run]:
    """Return `trained(name)`: the finished run of that baseline."""
    store = make_store(tmp_path_factory.mktemp("baselines"))
    return functools.cache(lambda name: train_baseline(name, store))
