"""Postures and motions made by hand, and the instants that an engine would have reported of them: kinematics, no simulation.

A posture names angles of the legs' functions ("left_knee_flexion", or "knee_flexion" of both). It is put down so that the feet named stand
where they stood and the lowest part of the legs is on the ground. A motion goes through postures; a foot bears load where it touches.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import mujoco
import numpy as np

from movlr_jax.control.episode import Rollout
from movlr_jax.morphologies import Morphology
from movlr_jax.physics import gait
from movlr_jax.physics.instant import Frame, Instants
from movlr_jax.rewards.features import feature_layout
from movlr_jax.sides import SIDES
from support.synthetic import episode

DT = 0.02
TOUCHES = 0.01  # m: a foot that is lower bears load
Key = tuple[float, np.ndarray] | tuple[float, np.ndarray, float]
_FOOT, _LEG = ("calcn", "toes"), ("femur", "tibia", "calcn", "toes")


class Poser:
    """Makes postures and motions of a body with the legs of MyoLegs.

    Args:
        body: the prepared body.
    """

    def __init__(self, body: Morphology):
        self.body, self.layout = body, feature_layout(body)
        self._model, self._data = body.model, mujoco.MjData(body.model)
        self._geoms = {
            side: {
                parts: [
                    g
                    for g in range(self._model.ngeom)
                    if self._model.geom_contype[g]
                    and self._model.body(self._model.geom_bodyid[g]).name in {f"{p}_{side[0]}" for p in parts}
                ]
                for parts in (_FOOT, _LEG)
            }
            for side in SIDES
        }
        self._stood = self._places(body.standing_qpos)

    # --- postures

    def pose(
        self,
        *,
        pitch: float = 0.0,
        left: float = 0.0,
        yaw: float = 0.0,
        on: str = "both",
        at: tuple[float, float] = (0.0, 0.0),
        flat: bool = True,
        **angles: float,
    ) -> np.ndarray:
        """Return qpos of a posture.

        Args:
            pitch: lean of the pelvis forward (rad).
            left: its lean to the left (rad).
            yaw: its heading, to the left (rad).
            on: which feet stand where they stood: "left", "right" or "both" (their middle does).
            at: how far the place is from where the body stands (m).
            flat: turn the ankles so that the soles are level, where they are not given.
            angles: of functions of the legs, or of planned joints (rad).
        """
        space = self.body.posture
        posture = space.read(self.body.standing_qpos)
        named = {name: value for name, value in angles.items() if name in space.names}
        wanted: dict[str, float] = {}
        for name, value in angles.items():
            if name not in named:
                sides = [name] if name.split("_")[0] in SIDES else [f"{side}_{name}" for side in SIDES]
                wanted |= {side.replace("_", ".", 1): value for side in sides}
        for side in SIDES if flat else ():
            bend, hip = (wanted.get(f"{side}.{part}", self._standing(f"{side}.{part}")) for part in ("knee_flexion", "hip_flexion"))
            wanted.setdefault(f"{side}.ankle_flexion", bend + pitch - hip)
        for function, value in wanted.items():
            joint, sign = self.layout.anatomy[function]
            named[joint] = sign * value
        for joint, value in named.items():
            posture[space.names.index(joint)] = value
        qpos = space.complete(posture, self.body.standing_qpos)
        turn, turned = np.array([1.0, 0.0, 0.0, 0.0]), np.zeros(4)
        for axis, angle in (((0.0, 0.0, 1.0), yaw), ((0.0, 1.0, 0.0), pitch), ((1.0, 0.0, 0.0), -left)):
            step = np.zeros(4)
            mujoco.mju_axisAngle2Quat(step, np.array(axis), angle)
            mujoco.mju_mulQuat(turned, turn, step)
            turn = turned.copy()
        mujoco.mju_mulQuat(turned, turn, qpos[3:7])
        qpos[3:7] = turned
        c, s = np.cos(yaw), np.sin(yaw)
        feet = SIDES if on == "both" else (on,)
        now = self._places(qpos)
        wish = np.mean([self._stood[side][:2] for side in feet], axis=0)
        is_at = np.mean([now[side][:2] for side in feet], axis=0)
        qpos[:2] += np.array([c * wish[0] - s * wish[1], s * wish[0] + c * wish[1]]) + np.array(at) - is_at
        return self._grounded(qpos)

    def level(self, make: Callable[[float], np.ndarray], low: float, high: float) -> np.ndarray:
        """Return the posture of a family, by one number, in which both feet touch the ground.

        Args:
            make: the posture of a number, of which more lets the left foot hang lower.
            low, high: numbers at which the left foot is the higher and the lower one.
        """
        for _ in range(24):
            middle = 0.5 * (low + high)
            lowest = self.lowest(make(middle))
            low, high = (middle, high) if lowest["left"] > lowest["right"] else (low, middle)
        return make(0.5 * (low + high))

    def lowest(self, qpos: np.ndarray, parts: tuple[str, ...] = _FOOT) -> dict[str, float]:
        """Return the height of the lowest point of each foot, or of each leg (m)."""
        self._put(qpos)
        return {side: min(self._bottom(g) for g in self._geoms[side][parts]) for side in SIDES}

    def _standing(self, function: str) -> float:
        joint, sign = self.layout.anatomy[function]
        return sign * self.layout.standing_angles[joint]

    def _put(self, qpos: np.ndarray) -> None:
        self._data.qpos[:] = qpos
        mujoco.mj_kinematics(self._model, self._data)

    def _places(self, qpos: np.ndarray) -> dict[str, np.ndarray]:
        self._put(qpos)
        return {side: self._data.site(f"landmark/{side}.foot").xpos.copy() for side in SIDES}

    def _bottom(self, geom: int) -> float:
        """Return the height of a capsule's or an ellipsoid's lowest point (m)."""
        size, up = self._model.geom_size[geom], self._data.geom_xmat[geom].reshape(3, 3)[2]
        kind = self._model.geom_type[geom]
        reach = size[0] + size[1] * abs(up[2]) if kind == mujoco.mjtGeom.mjGEOM_CAPSULE else float(np.linalg.norm(size * up))
        return float(self._data.geom_xpos[geom][2] - reach)

    def _grounded(self, qpos: np.ndarray, lift: float = 0.0) -> np.ndarray:
        qpos = qpos.copy()
        qpos[2] += lift - min(self.lowest(qpos, _LEG).values())
        return qpos

    # --- motions

    def motion(self, *keys: Key, seconds: float = 3.0, ended: str = "time") -> Rollout:
        """Return the episode that goes through postures.

        Args:
            keys: (time (s), qpos), or with how far off the ground the lowest part of the legs then is (m).
            seconds: length; the last posture stays.
            ended: how the episode ends.
        """
        model, count = self._model, round(seconds / DT)
        time = np.arange(count) * DT
        qpos = np.array([self._grounded(*self._between(keys, t)) for t in time])
        qvel, sensors, load = np.zeros((count, model.nv)), np.zeros((count, model.nsensordata)), np.zeros((count, 2))
        data = mujoco.MjData(model)
        for k in range(count):
            if k + 1 < count:
                mujoco.mj_differentiatePos(model, qvel[k], DT, qpos[k], qpos[k + 1])
            data.qpos[:], data.qvel[:] = qpos[k], qvel[k]
            mujoco.mj_step1(model, data)
            sensors[k] = data.sensordata
            load[k] = self._load(qpos[k], data.subtree_com[self.body.top])
        return self._recorded(time, qpos, qvel, sensors, load, seconds, ended)

    def hold(self, pose: np.ndarray, by: float = 0.8, **more: float | str) -> Rollout:
        """Return the episode that goes from standing into a posture and stays there."""
        return self.motion((0.0, self.pose()), (by, pose), **more)  # type: ignore[arg-type]

    def _between(self, keys: Sequence[Key], t: float) -> tuple[np.ndarray, float]:
        times = [key[0] for key in keys]
        i = max(int(np.searchsorted(times, t, side="right")) - 1, 0)
        first, second = keys[i], keys[min(i + 1, len(keys) - 1)]
        span = second[0] - first[0]
        part = (t - first[0]) / span if span > 0 else 0.0
        change, out = np.zeros(self._model.nv), first[1].copy()
        mujoco.mj_differentiatePos(self._model, change, 1.0, first[1], second[1])
        mujoco.mj_integratePos(self._model, out, change, part)
        lifts = [key[2] if len(key) > 2 else 0.0 for key in (first, second)]
        return self.body.posture.project(out), lifts[0] + part * (lifts[1] - lifts[0])

    def _load(self, qpos: np.ndarray, com: np.ndarray) -> np.ndarray:
        """Return what each foot bears (body weights): of two that touch, by the lever of the centre of mass between them."""
        lowest, places = self.lowest(qpos), self._places(qpos)
        touches = [lowest[side] < TOUCHES for side in SIDES]
        if not all(touches):
            return np.array(touches, float)
        between = places["left"][:2] - places["right"][:2]
        share = float(np.clip((com[:2] - places["right"][:2]) @ between / max(between @ between, 1e-9), 0.0, 1.0))
        return np.array([share, 1.0 - share])

    def _recorded(
        self, time: np.ndarray, qpos: np.ndarray, qvel: np.ndarray, sensors: np.ndarray, load: np.ndarray, seconds: float, ended: str
    ) -> Rollout:
        pack, count = Instants(self.body), len(time)
        frame = Frame().row()
        at = [self.body.sensors[f"{side}.foot/position"][0] + np.arange(3) for side in SIDES]
        places = np.stack([sensors[:, columns] for columns in at], axis=1)
        memory = gait.over_time(gait.initial(places[None, 0]), load[None], places[None], np.array([[1.0, 0.0]]), DT)[0]
        values = {
            **pack.fixed(DT, np.tile(frame, (count, 1))),
            "time": time[:, None],
            "qpos": qpos,
            "qvel": qvel,
            "sensor": sensors,
            **pack.ground(sensors),
            "gait": memory.reshape(count, -1),
        }
        rows = pack.pack(values, np.zeros((count, pack.size), np.float32))
        return episode(rows, len(self.layout.muscles), seconds=seconds, ended=ended)
