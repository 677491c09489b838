"""Small published predictions, and a way to write them."""

import functools

import pytest
from tiny_published import make_table, save_table


@pytest.fixture(scope="session")
def table():
    return make_table()


@pytest.fixture
def save(tmp_path):
    """Return a function that writes a table where a reader finds it."""
    return functools.partial(save_table, folder=tmp_path)
