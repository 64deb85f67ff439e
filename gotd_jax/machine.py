"""The machine, as far as it bears on speed and rounding: processor, cores, memory."""

from __future__ import annotations

import functools
import os
import platform
from pathlib import Path

INSTRUCTIONS = {"avx2": "AVX2", "avx512f": "AVX-512", "avx512_bf16": "AVX-512 BF16", "amx_tile": "AMX"}


@functools.cache
def describe() -> dict:
    """Returns the processor's name, its vector and matrix instructions, the cores this process may use, and memory in GB."""
    facts = _facts()
    flags = set(facts.get("flags", "").split())
    return {
        "processor": facts.get("model name") or platform.processor() or platform.machine(),
        "instructions": [name for flag, name in INSTRUCTIONS.items() if flag in flags],
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9),
    }


def sentence(machine: dict) -> str:
    """Returns `machine`, as `describe` returns it, in words."""
    instructions = ", ".join(machine["instructions"]) or "no AVX2"
    cores = f"{machine['cores']} core{'s' if machine['cores'] != 1 else ''}"
    return f"{machine['processor']}, {cores} ({instructions}), {machine['memory']} GB"


def _facts() -> dict[str, str]:
    """Returns the facts that Linux lists about the first processor; an empty dict on other systems."""
    path = Path("/proc/cpuinfo")
    if not path.exists():
        return {}
    lines = path.read_text().split("\n\n")[0].splitlines()
    return {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
