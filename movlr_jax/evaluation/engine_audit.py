"""What an MJX engine makes of a body beside native C, over states of the body's own task: differences, and what the engine had to change.

In: a body's name and an engine. A short episode of the body's task (a walk, or a hand with an object) is planned on the native engine for
its states and excitations. Out: records of numbers and sentences.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import numpy as np

from movlr_jax import tasks
from movlr_jax._versions import installed
from movlr_jax.control.episode import EpisodeRunner
from movlr_jax.control.planners import MPPI
from movlr_jax.errors import MovlrError
from movlr_jax.morphologies import Morphology
from movlr_jax.physics import mjx_model, parity
from movlr_jax.rewards.features import feature_layout
from movlr_jax.rewards.reward import Reward

_SECONDS = 1.0
_WORLDS = 16


def record_walk(body: Morphology) -> parity.Walk:
    """Plan a short episode of the body's own task on the native engine, from a few candidates; take states and excitations from it."""
    layout = feature_layout(body)
    task = tasks.suiting(body)
    try:
        reward = Reward.trusted("human", task.rewards["human"], layout)
    except MovlrError:  # a body of one's own may lack a landmark that it asks for
        reward = Reward.trusted("start", task.rewards["start"], layout)
    runner = EpisodeRunner.build(body, MPPI().with_candidates(16), "native")
    walk = task.episode(runner, reward, 0, seconds=_SECONDS)
    every = round(walk.dt / runner.simulator.sim_dt)
    rows = np.linspace(0, len(walk.time) - 1 - parity.STEPS // every, _WORLDS).astype(int)
    follow = np.minimum(rows[None] + np.arange(parity.STEPS)[:, None] // every, len(walk.time) - 1)
    ctrl = walk.instants[:, layout.columns("ctrl")].astype(np.float64)
    return parity.Walk(walk.qpos[rows], walk.qvel[rows], walk.act[rows], ctrl[follow])


def audit(name: str, engine: str) -> dict[str, Any]:
    """Return the record of one body."""
    body = tasks.loaded(name)
    lines = parity.audit(body, engine, record_walk(body))
    return {
        "morphology": name,
        "engine": engine,
        "device": jax.devices()[0].device_kind,
        "versions": {p: installed(p) for p in ("mujoco", "mujoco-mjx", "jax", "warp-lang")},
        "changes": list(mjx_model.prepare(body, engine, body.model.opt.timestep).changes),
        "lines": [{**dataclasses.asdict(line), "fine": line.fine} for line in lines],
        "fine": all(line.fine for line in lines),
    }


def changes(name: str, engine: str) -> dict[str, Any]:
    """Return what an engine changes in a body, in words, and how much it matters, measured on C over states of its own task."""
    body = tasks.loaded(name)
    changed = mjx_model.prepare(body, engine, body.model.opt.timestep).changes
    effect = parity.effect(body, engine, record_walk(body)) if changed else []
    return {"changes": list(changed), "effect": [dataclasses.asdict(line) for line in effect]}
