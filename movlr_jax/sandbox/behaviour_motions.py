"""Motions that every reward must understand, of any body and without a planner: plain MuJoCo for the falls, kinematics for the rest.

Flows in: a body and a goal speed. Flows out: features by the motion's name: settled standing, collapse in four directions, lying still,
kinematic stepping, extremes; with an object in the hand: held, carried, falling, lying, extremes; of another body that is fixed to the
world: at rest, going limp, joints swung, extremes.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import mujoco
import numpy as np

from movlr_jax.morphologies import Morphology, anatomy, motors, root
from movlr_jax.morphologies.objects import BODY
from movlr_jax.physics.feet import Feet
from movlr_jax.physics.instant import Frame, Instants

STANDING, LYING, STEPPING, EXTREMES = "settled standing", "lying still", "kinematic stepping", "extremes"
COLLAPSES: tuple[str, ...] = tuple(f"collapse {way}" for way in ("forward", "backward", "left", "right"))
NAMES: tuple[str, ...] = (STANDING, *COLLAPSES, LYING, STEPPING, EXTREMES)
HELD, CARRIED, FALLING, DROPPED = "object held", "object carried", "object falling", "object dropped"
OBJECT_NAMES: tuple[str, ...] = (HELD, CARRIED, FALLING, DROPPED, EXTREMES)
RESTING, LIMP, SWUNG = "at rest", "going limp", "joints swung"
FIXED_NAMES: tuple[str, ...] = (RESTING, LIMP, SWUNG, EXTREMES)
_DT = 0.02  # between recorded instants (s)
_AWAY = (0.05, 0.1, 0.1)  # m from an object's start to its goal
_TURNED = (float(np.cos(0.35)), float(np.sin(0.35)), 0.0, 0.0)  # the goal's orientation: 0.7 rad about forward
# Function of a leg -> amplitude (rad), phase after its side's (rad), whether only the positive half counts: alike to a human walk.
_SWUNG = {"hip_flexion": (0.4, 0.0, False), "knee_flexion": (0.8, 0.8, True), "ankle_flexion": (0.2, -0.5, False)}
_BESIDE = 0.5  # m to the right of its start: past the edge of the table


@dataclass(frozen=True, eq=False)
class BehaviourMotions:
    """Motions of one body by name, each features float32[T, F] (current instant, then previous).

    Attributes:
        features: the names of `NAMES` at least; of a body with an object those of `OBJECT_NAMES`, of another that is fixed to the world
            those of `FIXED_NAMES`.
        archived: motions of earlier candidates, with how good they were judged (higher is better); may be empty. Only warned of.
    """

    features: Mapping[str, np.ndarray]
    archived: tuple[tuple[float, np.ndarray], ...] = ()

    def __post_init__(self) -> None:
        names = OBJECT_NAMES if HELD in self.features else FIXED_NAMES if RESTING in self.features else NAMES
        missing = [n for n in names if n not in self.features]
        if missing:
            raise ValueError(f"The behaviour motions lack {', '.join(missing)}: give each of {', '.join(names)}.")


@functools.lru_cache(maxsize=4)
def generate(morphology: Morphology, goal_speed: float = 0.8) -> BehaviourMotions:
    """Make the motions of a body: plain MuJoCo for the falls, kinematics for the rest. Cached: a body's motions are made once.

    Args:
        morphology: the body.
        goal_speed: what `m.goal.speed` says (m/s).

    """
    if morphology.thing is not None:
        maker = _Maker(morphology, Frame(goal=(goal_speed, 0.0), target=(*np.add(morphology.thing.position, _AWAY), *_TURNED)))
        handled = {HELD: maker.still(morphology.standing_qpos, morphology.standing_act), CARRIED: maker.carried()}
        handled |= {FALLING: maker.falling(), DROPPED: maker.dropped(), EXTREMES: maker.extremes()}
        return BehaviourMotions({name: _paired(r, independent=name in (DROPPED, EXTREMES)) for name, r in handled.items()})
    maker = _Maker(morphology, Frame(goal=(goal_speed, 0.0)))
    if morphology.fixed:
        still = maker.still(morphology.standing_qpos, morphology.standing_act)
        bent = {RESTING: still, LIMP: maker.limp(), SWUNG: maker.swung(), EXTREMES: maker.extremes()}
        return BehaviourMotions({name: _paired(r, independent=name == EXTREMES) for name, r in bent.items()})
    falls = {name: maker.collapse(*push) for name, push in zip(COLLAPSES, ((1, 0), (-1, 0), (0, 1), (0, -1)), strict=True)}
    rows: dict[str, np.ndarray] = {
        STANDING: maker.still(morphology.standing_qpos, morphology.standing_act),
        **{name: r for name, (r, _) in falls.items()},
        LYING: maker.still(falls[COLLAPSES[1]][1], np.zeros_like(morphology.standing_act)),
        STEPPING: maker.stepping(goal_speed),
        EXTREMES: maker.extremes(),
    }
    features = {name: _paired(r, independent=name == EXTREMES) for name, r in rows.items()}
    return BehaviourMotions(features)


def _paired(instants: np.ndarray, independent: bool) -> np.ndarray:
    """Return features [T, 2 f] of instants [T, f]; at the start, and where instants do not follow each other, both are the same."""
    before = np.concatenate([instants[:1], instants[:-1]])
    if independent:
        before[::2] = instants[::2]
    return np.concatenate([instants, before], axis=1).astype(np.float32)


class _Maker:
    """Writes instants of one body from plain MuJoCo states."""

    def __init__(self, morphology: Morphology, frame: Frame):
        self.body, self.frame = morphology, frame
        self.model = morphology.at_timestep(0.004)
        motors.limp(self.model, morphology.muscles.count)
        self._instants, self._frame = Instants(morphology), frame.row()

    def _row(self, data: mujoco.MjData, before: dict[str, Any] | None = None) -> np.ndarray:
        """Return an instant of data whose derived fields are computed; `before` stands for a state that was stepped away from."""
        pack = self._instants
        values = pack.fixed(_DT, self._frame) | (before or pack.before(data)) | pack.after(data)
        return np.asarray(pack.pack(values, np.zeros(pack.size, np.float32)))

    def _before(self, data: mujoco.MjData) -> dict[str, Any]:
        """Return the state before a step, which the step will not change."""
        return {name: np.array(value) for name, value in self._instants.before(data).items()}

    def _remember(self, rows: Sequence[np.ndarray]) -> np.ndarray:
        """Return instants[T, f] of rows that follow each other, with the ground and the gait memory filled in."""
        instants = np.array(rows)
        sensors = instants[:, self._instants.columns["sensor"]]
        start = Feet(self.body).initial(sensors[:1].astype(np.float64))
        feet, _ = self._instants.feet(sensors[None], start, self._frame[None], _DT)
        values = self._instants.ground(sensors) | {name: value[0] for name, value in feet.items()}
        return np.asarray(self._instants.pack(values, instants))

    def still(self, qpos: np.ndarray, act: np.ndarray) -> np.ndarray:
        """A held pose: eight instants at rest."""
        data = mujoco.MjData(self.model)
        rows = []
        for k in range(8):
            data.time = k * _DT
            data.qpos[:], data.qvel[:] = qpos, 0.0
            data.act[:] = act
            data.ctrl[:] = act
            mujoco.mj_forward(self.model, data)
            rows.append(self._row(data))
        return self._remember(rows)

    def collapse(self, forward: float, left: float) -> tuple[np.ndarray, np.ndarray]:
        """A limp body pushed over: instants of the fall, and the pose it comes to rest in."""
        data = mujoco.MjData(self.model)
        data.qpos[:] = self.body.standing_qpos
        pelvis = self.model.body(self.body.plan.landmarks["pelvis"].body).id
        trunk = self.model.body(self.body.plan.landmarks["trunk"].body).id
        every = round(_DT / self.model.opt.timestep)
        rows = []
        for k in range(75):
            push = 0.15 * self.body.weight if k < 20 else 0.0
            for body in {pelvis, trunk}:
                data.xfrc_applied[body, :2] = push * forward, push * left
            for i in range(every):
                before = self._before(data)
                mujoco.mj_step(self.model, data)
                if i == 0 and k < 50:
                    rows.append(self._row(data, before))
        return self._remember(rows), np.array(data.qpos)

    def stepping(self, speed: float) -> np.ndarray:
        """Legs swung by hand while the body is carried forward: not physical, but alike to a walk in every feature."""
        posture = self.body.posture
        swing = _swings(self.body)
        base = posture.read(self.body.standing_qpos)
        poses = []
        for k in range(50):
            phase = 2 * np.pi * k * _DT  # one stride a second
            wave = np.where(swing[:, 1] > 0, np.sin(phase + swing[:, 1]), 0.0)
            target = base + swing[:, 0] * np.where(swing[:, 2] > 0, np.maximum(wave, 0.0), wave)
            moved = root.translate(self.model, self.body.top, self.body.standing_qpos, np.array([speed * k * _DT, 0.0, 0.0]))
            poses.append(posture.complete(target, moved))
        return self._led(poses, 0.1)

    def _led(self, poses: Sequence[np.ndarray], act: np.ndarray | float) -> np.ndarray:
        """Instants of a body led by hand through poses[nq], `_DT` apart, at activations that do not change."""
        data, rows = mujoco.MjData(self.model), []
        for k, qpos in enumerate(poses):
            data.time = k * _DT
            data.qpos[:], data.qvel[:] = qpos, 0.0
            if k:
                mujoco.mj_differentiatePos(self.model, data.qvel, _DT, poses[k - 1], qpos)
            data.act[:] = data.ctrl[:] = act
            mujoco.mj_forward(self.model, data)
            rows.append(self._row(data))
        return self._remember(rows)

    def _object(self) -> int:
        """Where the object's position and quaternion stand in qpos."""
        return int(self.model.joint(BODY).qposadr[0])

    def carried(self) -> np.ndarray:
        """The object led by hand from its start to its goal while the arm rests: alike to a carry in every feature of the object."""
        at = self._object()
        start, target = np.array(self.body.standing_qpos[at : at + 7]), np.array(self.frame.target)
        turn, way = np.zeros(4), np.zeros(3)
        back = np.array([start[3], *-start[4:]])
        mujoco.mju_mulQuat(turn, target[3:], back)
        mujoco.mju_quat2Vel(way, turn, 1.0)  # the one rotation that leads there
        poses = []
        for k in range(50):
            share = k / 49
            qpos, step = np.array(self.body.standing_qpos), np.zeros(4)
            qpos[at : at + 3] = start[:3] + share * (target[:3] - start[:3])
            mujoco.mju_axisAngle2Quat(step, way / max(float(np.linalg.norm(way)), 1e-9), share * float(np.linalg.norm(way)))
            mujoco.mju_mulQuat(qpos[at + 3 : at + 7], step, start[3:])
            poses.append(qpos)
        return self._led(poses, self.body.standing_act)

    def swung(self) -> np.ndarray:
        """Every planned joint led by hand through its range and back, each at its own pace: two seconds."""
        posture = self.body.posture
        base = posture.read(self.body.standing_qpos)
        poses = []
        for k in range(100):
            share = np.sin(np.pi * k * _DT * (1.0 + np.arange(posture.size) / posture.size))
            reach = np.where(share > 0, posture.upper - base, base - posture.lower)
            qpos = posture.complete(base + 0.9 * share * reach, self.body.standing_qpos)
            poses.append(qpos)
        return self._led(poses, self.body.standing_act)

    def falling(self) -> np.ndarray:
        """The object let go beside the table while the arm goes limp: one second."""
        qpos = np.array(self.body.standing_qpos)
        qpos[self._object() + 1] -= _BESIDE
        return self._slack(qpos)

    def limp(self) -> np.ndarray:
        """The body let go where it stands: one second."""
        return self._slack(self.body.standing_qpos)

    def _slack(self, qpos: np.ndarray) -> np.ndarray:
        """A second without excitation from a pose at rest."""
        data = mujoco.MjData(self.model)
        data.qpos[:] = qpos
        every = round(_DT / self.model.opt.timestep)
        rows = []
        for _ in range(50):
            for i in range(every):
                before = self._before(data)
                mujoco.mj_step(self.model, data)
                if i == 0:
                    rows.append(self._row(data, before))
        return self._remember(rows)

    def dropped(self) -> np.ndarray:
        """The object at rest on the ground beside the table, as it may lie: in sixteen orientations, drawn with a fixed seed."""
        data, at, rng = mujoco.MjData(self.model), self._object(), np.random.default_rng(0)
        rows = []
        for k in range(16):
            data.time = k * _DT
            data.qpos[:], data.qvel[:] = self.body.standing_qpos, 0.0
            quat = rng.normal(size=4)
            data.qpos[at + 1] -= _BESIDE
            data.qpos[at + 2] = 0.05
            data.qpos[at + 3 : at + 7] = quat / np.linalg.norm(quat)
            data.act[:] = data.ctrl[:] = self.body.standing_act
            mujoco.mj_forward(self.model, data)
            rows.append(self._row(data))
        return self._remember(rows)

    def extremes(self) -> np.ndarray:
        """States far from any walk: limp, tensed, airborne, upside down, fast, at joint limits; all with a fixed seed."""
        rng = np.random.default_rng(0)
        model, data = self.model, mujoco.MjData(self.model)
        limited = model.jnt_limited.astype(bool) & np.isin(model.jnt_type, (2, 3))
        address, span = model.jnt_qposadr[limited], model.jnt_range[limited]
        rows = []
        for k in range(32):
            share = rng.uniform(size=len(address)) if k % 2 else rng.integers(0, 2, len(address)).astype(float)
            qpos = np.array(self.body.standing_qpos)
            qpos[address] = span[:, 0] + share * (span[:, 1] - span[:, 0])
            qvel = rng.normal(size=model.nv) * (0.0, 1.0, 10.0)[k % 3]
            # One step of a free tumble turns and lifts a root of any kind, or the object of a fixed body.
            tumble, free = np.zeros(model.nv), self.body.loose
            tumble[free] = rng.normal(size=model.nv)[free]
            mujoco.mj_integratePos(model, qpos, tumble, 1.0)
            data.time = rng.uniform(0.0, 30.0)
            data.qpos[:], data.qvel[:] = qpos, qvel
            data.act[:] = (0.0, 1.0, rng.uniform(size=model.na))[k % 3]
            data.ctrl[:] = data.act
            mujoco.mj_forward(model, data)
            rows.append(self._row(data))
        return self._remember(rows)


def _swings(body: Morphology) -> np.ndarray:
    """Return float[planned, 3]: amplitude (rad), phase (0 for none) and whether only the positive half counts, of every planned joint."""
    out = np.zeros((body.posture.size, 3))
    for function, (joint, sign) in anatomy.joints(body).items():
        side, name = function.split(".")
        if name in _SWUNG and joint in body.posture.names:
            amplitude, phase, half = _SWUNG[name]
            out[body.posture.names.index(joint)] = sign * amplitude, (np.pi if side == "left" else 2 * np.pi) + phase, half
    return out
