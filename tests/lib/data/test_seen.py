"""The compact set of ids says what a plain set says."""

import tracemalloc

import numpy as np
import pytest

from lib.data import seen
from lib.data.seen import SeenIds


@pytest.mark.parametrize("max_latest", [1, 7, 4096])
def test_it_agrees_with_a_plain_set(monkeypatch, max_latest):
    monkeypatch.setattr(seen, "MAX_LATEST", max_latest)
    random = np.random.default_rng(0)
    num_ids = 400 if max_latest == 1 else 20_000  # enough for digests that end in zeros
    ids, plain = SeenIds(), set()
    for _ in range(num_ids // 4):
        group = [f"s{number}" for number in random.integers(0, num_ids // 2, random.integers(0, 8))]
        expected = []
        for name in group:
            expected.append(name in plain)
            plain.add(name)
        assert ids.mark(group) == tuple(expected)
    assert len(plain) > num_ids / 4
    assert all(ids.mark(sorted(plain)))


def test_names_that_are_no_text_are_ids_too():
    assert SeenIds().mark(["a\udc80", "a", "", "a\udc80"]) == (False, False, False, True)


def test_an_id_takes_a_few_bytes():
    ids = SeenIds()
    tracemalloc.start()
    for start in range(0, 20 * seen.MAX_LATEST, 32):
        ids.mark([f"study-{number}" for number in range(start, start + 32)])
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held / (20 * seen.MAX_LATEST) < 1.5 * seen.DIGEST_BYTES
