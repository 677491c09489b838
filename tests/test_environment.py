"""The two lists of packages, ranges and tested versions, must agree."""

import re
import tomllib

import pytest
from packaging.requirements import Requirement

from tests.conftest import PROJECT

PINS = dict(re.findall(r"^ *- ([A-Za-z0-9._-]+)==(\S+)", (PROJECT / "environment.yml").read_text(), re.M))


def declared() -> list[str]:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    return project["dependencies"] + [
        line for extra in project["optional-dependencies"].values() for line in extra
    ]


@pytest.mark.parametrize("line", declared())
def test_tested_version_lies_in_the_declared_range(line):
    requirement = Requirement(line)
    assert requirement.specifier.contains(PINS[requirement.name]), f"{line} against {PINS[requirement.name]}"
