"""Mixed precision: what "auto" means on this device."""

import contextlib
from pathlib import Path

import torch

CPU_INFO = Path("/proc/cpuinfo")


def resolve_autocast(setting: str, device: torch.device) -> str:
    """Decide between bf16 autocast and none.

    "auto" takes bf16 on CUDA; on a CPU only where the hardware multiplies bf16, because emulating it is
    several times slower than fp32.

    Args:
        setting: "auto", "bf16" or "none".
        device: where the training runs.

    Returns:
        "bf16" or "none".

    Raises:
        ValueError: another setting.
    """
    if setting not in ("auto", "bf16", "none"):
        raise ValueError(f'train.autocast is {setting!r}; it must be "auto", "bf16" or "none".')
    if setting != "auto":
        return setting
    if device.type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "none"
    return "bf16" if device.type == "cpu" and cpu_multiplies_bf16() else "none"


def cpu_multiplies_bf16(cpu_info: Path = CPU_INFO) -> bool:
    """Say whether the kernel lists AMX or AVX-512 instructions for bf16."""
    flags = cpu_info.read_text().split() if cpu_info.is_file() else []
    return "amx_bf16" in flags or "avx512_bf16" in flags


def autocast(resolved: str, device: torch.device) -> contextlib.AbstractContextManager:
    """Return the context for a forward pass; bf16 needs no gradient scaler."""
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=resolved == "bf16")
