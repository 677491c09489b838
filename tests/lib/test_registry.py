import pytest

from lib.registry import resolve

TABLE = {"mean": "statistics:mean", "median": "statistics:median"}


def test_a_name_gives_the_attribute_itself():
    import statistics

    assert resolve("mean", TABLE) is statistics.mean


def test_nothing_is_imported_before_it_is_asked_for():
    table = {"here": "statistics:mean", "elsewhere": "no_such_module_anywhere:thing"}
    assert resolve("here", table)([1, 3]) == 2
    with pytest.raises(ModuleNotFoundError, match="no_such_module_anywhere"):
        resolve("elsewhere", table)


def test_an_unknown_name_shows_the_closest_and_all_known():
    with pytest.raises(ValueError, match=r"Unknown name 'meen'. Did you mean 'mean'\? Known: mean, median"):
        resolve("meen", TABLE)


def test_a_name_close_to_none_gets_no_hint():
    with pytest.raises(ValueError, match="Unknown name 'zzz'. Known: mean, median"):
        resolve("zzz", TABLE)
