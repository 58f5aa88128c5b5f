"""Settings of the MJX engines. Apart from the engines, so that reading a configuration imports no JAX."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from movlr_jax.errors import MovlrError

_LARGEST = 2**31 - 1  # of the engines' integers


Graphs = Literal["auto", "none", "jax", "warp", "staged", "staged-ex"]


@dataclass(frozen=True)
class MjxConfig:
    """What the engines warp and jax need to know; the native engine ignores it."""

    worlds: int = 0
    """Candidate worlds simulated at once, over all devices; 0: as many as the work needs and the memory holds."""
    devices: int = 0
    """Devices to spread the worlds over; 0: all that this process sees."""
    hosts: bool = False
    """Join the devices of several hosts (jax.distributed): start the same command on each."""
    contacts: int = 0
    """Room for contacts in a world of warp; 0: measured by a warm-up."""
    constraints: int = 0
    """Room for constraint rows in a world of warp; 0: measured by a warm-up."""
    graphs: Graphs = "auto"
    """How warp captures a step as a CUDA graph: auto (warp, on a GPU); warp, by itself, and again wherever a buffer has moved; staged, from
    buffers of its own on one device; staged-ex, on several too; jax, within XLA's graphs; none. Only a GPU captures."""

    recycle: bool = True
    """On a GPU or TPU, write a program's results over those of an earlier call: buffers that stay where they are need no new CUDA graph."""

    def __post_init__(self) -> None:
        """Refuse values that nothing can have."""
        for name, value in vars(self).items():
            if isinstance(value, bool | str):
                continue
            if value < 0:
                raise MovlrError(f"mjx.{name} is {value}: give 0 (found out by itself) or more.")
            if value > _LARGEST:
                raise MovlrError(f"mjx.{name} is {value}: give at most {_LARGEST}.")
