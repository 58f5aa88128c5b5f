"""Small fall banks of the embedded body, whose states are its start as if it stood at another time."""

from __future__ import annotations

from dataclasses import replace

import mujoco
import numpy as np

from movlr_jax import tasks
from movlr_jax.control.planners import PlanState
from movlr_jax.control.snapshot import Snapshot
from movlr_jax.evaluation.fall_bank import BankState, FallBank, dynamics_of
from movlr_jax.physics.instant import Frame

TASK = tasks.get("walk_flat")


def snapshot(simulator, time, seed=3):
    body = simulator.morphology
    start = TASK.start(body, seed)
    state = replace(simulator.reset(start.qpos, start.act), time=np.array([time]))
    plan = PlanState(body.posture.read(state.qpos)[:, None], np.full((1, 1, body.posture.size), 0.05))
    return Snapshot(state, plan, Frame(start.origin, 0.3, (0.9, 0.0)), seed)


def bank(simulator):
    body = simulator.morphology
    kinds = (("fall", "push", 3), ("harmless", "push", 3), ("fall", "natural", 5), ("fall", "push", 4))
    states = tuple(BankState(snapshot(simulator, 2.0 + 0.1 * i, s), TASK.name, kind, how, 1.0) for i, (kind, how, s) in enumerate(kinds))
    return FallBank(body.name, ("stride", "ab12"), {TASK.name: dynamics_of(body)}, states)


def fallen(state, body):
    """Return a state of a bank with the body's root half a metre lower: it is down at once."""
    qpos = state.snapshot.state.qpos.copy()
    free = int(np.flatnonzero(body.model.jnt_type == int(mujoco.mjtJoint.mjJNT_FREE))[0])
    qpos[0, body.model.jnt_qposadr[free] + 2] -= 0.5
    return replace(state, snapshot=replace(state.snapshot, state=replace(state.snapshot.state, qpos=qpos)))
