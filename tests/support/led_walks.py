"""Walks of a real body that is led by hand through poses: steps, a way, and where it is told to fall; states, sensors and loads agree."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import mujoco
import numpy as np

from movlr_jax import atomic
from movlr_jax.control.episode import Rollout
from movlr_jax.morphologies import Morphology, root
from movlr_jax.physics import instants_of_states
from movlr_jax.physics.instant import Frame
from movlr_jax.rewards.features import feature_layout
from movlr_jax.tasks import find

DT, STRIDE_S = 0.02, 0.8
REWARD = 'WEIGHTS = {"up": 1.0}\n\n\ndef terms(m):\n    return {"up": m.pelvis.height}\n'


def led(
    body: Morphology,
    *,
    seconds: float = 3.2,
    speed: float = 0.8,
    goal_speed: float = 0.8,
    falls_from: float | None = None,
    bend: float = 0.9,
    seed: int = 0,
) -> Rollout:
    """Return an episode of an even walk on which the lower foot always stands.

    Args:
        body: MyoLegs.
        seconds: length (s).
        speed: of the pelvis (m/s).
        goal_speed: asked for (m/s).
        falls_from: when the pelvis begins to sink, to 0.4 of its height within 0.5 s (s); None: it does not.
        bend: of the knees in swing (rad).
        seed: of the record; nothing is drawn.
    """
    layout, model = feature_layout(body), body.model
    feet = [model.site(f"landmark/{side}.foot").id for side in ("left", "right")]
    base = body.posture.read(body.standing_qpos)
    names = list(body.posture.names)
    data = mujoco.MjData(model)
    data.qpos[:] = body.standing_qpos
    mujoco.mj_kinematics(model, data)
    ground = min(data.site_xpos[foot, 2] for foot in feet)
    time = np.arange(round(seconds / DT)) * DT
    qpos = []
    for t in time:
        posture = base.copy()
        for side, phase in (("left", 0.0), ("right", np.pi)):
            angle = 2.0 * np.pi * t / STRIDE_S + phase
            swings = max(np.cos(angle), 0.0)  # the leg goes forward while its knee is bent
            for function, value in (("hip_flexion", 0.35 * np.sin(angle)), ("knee_flexion", bend * swings)):
                joint, sign = layout.anatomy[f"{side}.{function}"]
                posture[names.index(joint)] = sign * value
        pose = body.posture.complete(posture, body.standing_qpos)
        data.qpos[:] = pose
        mujoco.mj_kinematics(model, data)
        rise = ground - min(data.site_xpos[foot, 2] for foot in feet)
        if falls_from is not None:
            rise -= 0.6 * body.standing_heights["pelvis"] * float(np.clip((t - falls_from) / 0.5, 0.0, 1.0))
        qpos.append(root.translate(model, body.top, pose, np.array([speed * t, 0.0, rise])))
    states = np.array(qpos)
    qvel = np.zeros((len(time), model.nv))
    for k in range(len(time) - 1):
        mujoco.mj_differentiatePos(model, qvel[k], DT, states[k], states[k + 1])
    qvel[-1] = qvel[-2]
    act = np.full((len(time), model.na), 0.05)
    made = instants_of_states.instants(body, time, states, qvel, act, act, Frame(goal=(goal_speed, 0.0)).row(), DT)
    over = np.flatnonzero(np.asarray(find("walk_flat").over(body)(made.astype(np.float64))))
    count = int(over[0]) + 1 if over.size else len(time)
    rows = {"time": time, "qpos": states, "qvel": qvel, "act": act, "instants": made}
    rows |= {"targets": np.zeros((len(time), len(names))), "terms": np.zeros((len(time), 1), np.float32), "costs": np.zeros(len(time))}
    return Rollout(
        seed=seed,
        seconds=seconds,
        dt=DT,
        ended="fell" if over.size else "time",
        term_names=("up",),
        weights=np.ones(1, np.float32),
        diverged=np.zeros(count, int),
        goal_speed=goal_speed,
        **{name: value[:count] for name, value in rows.items()},
    )


def saved(folder: Path, rollouts: list[Rollout]) -> Path:
    """Save episodes of one reward as `movlr rollout --out` does, and return the folder."""
    for i, rollout in enumerate(rollouts):
        numbered = dataclasses.replace(rollout, seed=i)
        numbered.save(folder / ("rollout.npz" if i == 0 else f"rollout_{i}.npz"))
    atomic.write_json(folder / "metrics.json", {"task": "walk_flat", "morphology": "myolegs"})
    atomic.write_text(folder / "reward.py", REWARD)
    return folder
