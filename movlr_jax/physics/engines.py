"""Which engine runs. `native` is the engine of a machine without an accelerator; the MJX engines have their place here."""

from __future__ import annotations

from movlr_jax.errors import MovlrError
from movlr_jax.morphologies import Morphology
from movlr_jax.physics.native import NativeSimulator
from movlr_jax.physics.simulator import Simulator

ENGINES: tuple[str, ...] = ("native",)


def choose(engine: str) -> tuple[str, str]:
    """Return (engine, why) for "auto" or an engine's name.

    Raises:
        MovlrError: no such engine in this version.
    """
    if engine == "auto":
        return "native", "native: C MuJoCo on this machine's cores (the MJX engines are not part of this version)"
    if engine not in ENGINES:
        raise MovlrError(f"There is no engine '{engine}' in this version: use {', '.join(('auto', *ENGINES))}.")
    return engine, f"{engine}: as asked"


def make(engine: str, morphology: Morphology, *, candidates: int, episodes: int = 1, plan_dt: float, threads: int = 0) -> Simulator:
    """Build the simulator of a chosen engine (see NativeSimulator for the arguments)."""
    choose(engine)
    return NativeSimulator(morphology, candidates=candidates, episodes=episodes, plan_dt=plan_dt, threads=threads)
