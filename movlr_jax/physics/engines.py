"""Which engine runs: native (C threads), warp (MuJoCo Warp on CUDA; on a CPU for tests) or jax (pure MJX, for a TPU)."""

from __future__ import annotations

import importlib.util
from typing import Protocol

from movlr_jax import jax_environment
from movlr_jax.errors import MovlrError
from movlr_jax.morphologies import Morphology
from movlr_jax.physics.mjx_config import MjxConfig
from movlr_jax.physics.simulator import Simulator
from movlr_jax.registry import Registry

MJX: tuple[str, ...] = ("warp", "jax")


class MakeSimulator(Protocol):
    """What an engine is in the registry: a function that builds its simulator, with what `make` says of the arguments."""

    def __call__(
        self, morphology: Morphology, *, candidates: int, episodes: int, plan_dt: float, steps: int, threads: int, mjx: MjxConfig
    ) -> Simulator:
        """Return the simulator, whose `name` is the engine's."""
        ...


ENGINES: Registry[MakeSimulator] = Registry(
    "engine",
    "movlr_jax.engines",
    {
        "native": "movlr_jax.physics.native:make",
        "warp": "movlr_jax.physics.mjx:make_warp",
        "jax": "movlr_jax.physics.mjx:make_jax",
    },
    lambda name, thing: "" if callable(thing) else "It is no function that builds a Simulator.",
    hint=" and auto",
)


def choose(engine: str) -> tuple[str, str]:
    """Return (engine, why) for "auto" or an engine's name.

    Raises:
        MovlrError: no such engine, what it needs is not installed, or JAX cannot start as the environment asks.
    """
    jax_environment.require_devices()
    warp = importlib.util.find_spec("warp") is not None
    if engine == "auto":
        import jax

        platform = jax.default_backend()
        if platform == "gpu" and warp:
            return "warp", f"warp: MuJoCo Warp on {jax.devices()[0].device_kind}"
        if platform == "gpu":
            return "native", "native: there is a GPU, but warp-lang is not installed (pip install 'movlr-jax[cuda]')"
        if platform == "tpu":
            return "jax", f"jax: pure MJX on {jax.devices()[0].device_kind}"
        return "native", "native: C MuJoCo on this machine's cores (JAX sees no GPU and no TPU)"
    ENGINES.require(engine)
    if engine == "warp" and not warp:
        raise MovlrError("The engine warp needs the package warp-lang: pip install 'movlr-jax[cuda]', or use --engine native.")
    return engine, f"{engine}: as asked"


def make(
    engine: str,
    morphology: Morphology,
    *,
    candidates: int,
    episodes: int = 1,
    plan_dt: float,
    steps: int = 44,
    threads: int = 0,
    mjx: MjxConfig | None = None,
) -> Simulator:
    """Build the simulator of an engine.

    Args:
        engine: "auto" or a name.
        morphology: the body.
        candidates: N, candidate worlds of each episode.
        episodes: episodes that are wanted side by side; the native engine, whose threads one episode fills, takes one.
        plan_dt: step of rollouts (s).
        steps: H, steps of a rollout.
        threads: native: threads, 0 for one a core.
        mjx: warp and jax: their settings.

    Raises:
        MovlrError: no such engine, or it refuses the body.
    """
    name, _ = choose(engine)
    build = ENGINES[name]
    return build(
        morphology, candidates=candidates, episodes=episodes, plan_dt=plan_dt, steps=steps, threads=threads, mjx=mjx or MjxConfig()
    )
