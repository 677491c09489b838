import pytest
import torch

from lib.loops.precision import autocast, cpu_multiplies_bf16, resolve_autocast


@pytest.mark.parametrize(
    ("flags", "expected"),
    [("fpu sse avx512f amx_tile amx_bf16", True), ("avx512_bf16 fma", True), ("fpu avx2 avx512f fma", False)],
)
def test_bf16_needs_hardware_that_multiplies_it(tmp_path, flags, expected):
    (tmp_path / "cpuinfo").write_text(f"processor : 0\nflags : {flags}\n")
    assert cpu_multiplies_bf16(tmp_path / "cpuinfo") == expected
    assert not cpu_multiplies_bf16(tmp_path / "absent")


def test_auto_follows_this_machine_and_the_others_are_obeyed():
    cpu = torch.device("cpu")
    assert resolve_autocast("auto", cpu) == ("bf16" if cpu_multiplies_bf16() else "none")
    assert resolve_autocast("bf16", cpu) == "bf16" and resolve_autocast("none", cpu) == "none"
    with pytest.raises(ValueError, match='"auto", "bf16" or "none"'):
        resolve_autocast("fp16", cpu)
    weight = torch.ones(2, 2)
    for resolved, dtype in (("bf16", torch.bfloat16), ("none", torch.float32)):
        with autocast(resolved, cpu):
            assert (weight @ weight).dtype == dtype
