"""Batches are made one ahead, in threads that end with them and take no core of the training."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from tiny_loader import make_loader
from tiny_store import make_store

from lib.data.store import Store


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Store:
    return make_store(tmp_path_factory.mktemp("loader") / "store", num_studies=24)


def test_it_works_ahead(store):
    reads = []

    class CountingStore(Store):
        @property
        def images(self):
            reads.append(threading.current_thread().name)
            return super().images

    batches = make_loader(CountingStore(store.path)).epoch(0)
    reads.clear()
    next(batches)
    deadline = time.monotonic() + 20
    while len(reads) < 3 and time.monotonic() < deadline:
        time.sleep(0.005)
    time.sleep(0.05)
    assert len(reads) == 3 and all("study-loader" in name for name in reads)  # the first and two ahead
    batches.close()


def test_an_error_in_the_background_is_raised_here(tmp_path):
    small = make_store(tmp_path / "store")
    loader = make_loader(small)
    (tmp_path / "store" / "images.npy").unlink()
    with pytest.raises(FileNotFoundError, match=r"images\.npy"):
        next(loader.epoch(0))
    assert not loader_threads()


def loader_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if "study-loader" in thread.name]


def test_closing_early_ends_the_threads(store):
    batches = make_loader(store).epoch(0)
    next(batches)
    assert loader_threads()
    batches.close()
    assert not loader_threads()
    for _ in make_loader(store).epoch(0):
        break
    assert not loader_threads()
    list(make_loader(store).epoch(0))
    assert not loader_threads()


def test_the_cores_of_the_training_thread_are_left_alone(store):
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(3)
        next(make_loader(store).epoch(0))
        assert torch.get_num_threads() == 3
        with ThreadPoolExecutor(1) as later:
            assert later.submit(torch.get_num_threads).result() == 3
    finally:
        torch.set_num_threads(before)
