"""Claims hold among threads of work that know nothing of each other, and go with their process."""

import subprocess
import sys

from workbench.claims import CLAIMED, FOLDER, claimed
from workbench.notebooks import PROJECT

HOLD = """
import sys
from workbench.claims import claimed
with claimed("a", sys.argv[1]) as held:
    print(held, flush=True)
    input()
"""


def test_one_gets_it_and_leaves_nothing(tmp_path):
    with claimed("a", tmp_path) as first, claimed("a", tmp_path) as second, claimed("b", tmp_path) as other:
        assert (first, second, other) == (True, False, True)
    with claimed("a", tmp_path) as again:
        assert again
    assert list((tmp_path / FOLDER).iterdir()) == []


def test_one_that_did_not_get_it_takes_it_from_nobody(tmp_path):
    with claimed("a", tmp_path):
        with claimed("a", tmp_path):
            pass
        with claimed("a", tmp_path) as second:
            assert not second


def test_roots_are_apart(tmp_path):
    with claimed("a", tmp_path / "one"), claimed("a", tmp_path / "two") as held:
        assert held


def test_it_goes_with_its_process_however_that_ends(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "True\n"
    with claimed("a", tmp_path) as held:
        assert not held
    process.kill()
    process.communicate()
    with claimed("a", tmp_path) as held:
        assert held


def test_a_child_has_what_its_parent_holds_for_it(tmp_path, monkeypatch):
    with claimed("a", tmp_path):
        monkeypatch.setenv(CLAIMED, "a")
        with claimed("a", tmp_path) as held:
            assert held
        monkeypatch.delenv(CLAIMED)
        with claimed("a", tmp_path) as held:
            assert not held
