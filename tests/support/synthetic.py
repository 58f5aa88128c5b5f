"""Instants of a made-up body that walks, leans or falls as told: landmarks move on formulas, so every fact has a known answer."""

from __future__ import annotations

import numpy as np

from movlr_jax.control.episode import Rollout
from movlr_jax.rewards.layout import GAIT_FIELDS, SIDES, FeatureLayout

DT = 0.02


def quat_pitch(angle: float) -> list[float]:
    """Turn about the left axis: leans forward by angle."""
    return [float(np.cos(angle / 2)), 0.0, float(np.sin(angle / 2)), 0.0]


def walker(
    layout: FeatureLayout,
    *,
    seconds: float = 4.0,
    speed: float = 0.8,
    pitch: float = 0.0,
    drop_from: float | None = None,
    fall_pitch: float = 1.2,
    width: float = 0.2,
    step_s: float = 0.5,
    drift: float = 0.0,
    yaw: float = 0.0,
    origin: tuple[float, float] = (0.0, 0.0),
) -> np.ndarray:
    """Return instants float32[T, f].

    The pelvis moves forward at `speed` and to the left at `drift`; the feet step in turn, `step_s` each, lifted by 0.05 m.
    The task's frame is turned by `yaw` and starts at `origin`; the body faces it. From `drop_from` on, the body tips forward
    and sinks to 0.4 of its height in 0.5 s, its feet left behind.
    """
    count = round(seconds / DT)
    rows = np.zeros((count, layout.size), np.float64)
    c, s = np.cos(yaw), np.sin(yaw)

    def put(row: np.ndarray, name: str, position: tuple[float, float, float], velocity: tuple[float, float, float], lean: float) -> None:
        offsets = layout.landmarks[name]
        base = layout.blocks["sensor"][0]
        x, y, z = position
        vx, vy, vz = velocity
        place = (origin[0] + c * x - s * y, origin[1] + s * x + c * y, z)
        row[base + offsets["position"] : base + offsets["position"] + 3] = place
        row[base + offsets["velocity"] : base + offsets["velocity"] + 3] = (c * vx - s * vy, s * vx + c * vy, vz)
        a, b = np.array([np.cos(yaw / 2), 0, 0, np.sin(yaw / 2)]), np.array(quat_pitch(lean))
        product = [
            a[0] * b[0] - a[1] * b[1] - a[2] * b[2] - a[3] * b[3],
            a[0] * b[1] + a[1] * b[0] + a[2] * b[3] - a[3] * b[2],
            a[0] * b[2] - a[1] * b[3] + a[2] * b[0] + a[3] * b[1],
            a[0] * b[3] + a[1] * b[2] - a[2] * b[1] + a[3] * b[0],
        ]
        row[base + offsets["quat"] : base + offsets["quat"] + 4] = product

    for k, row in enumerate(rows):
        t = k * DT
        row[layout.columns("time")] = t
        row[layout.columns("dt")] = DT
        row[layout.columns("frame")] = (*origin, c, s)
        fallen = 0.0 if drop_from is None else float(np.clip((t - drop_from) / 0.5, 0.0, 1.0))
        down, lean = 1.0 - 0.6 * fallen, pitch + fall_pitch * fallen
        x, y = speed * t, drift * t
        ahead = 0.5 * fallen * np.sign(fall_pitch)
        for name in layout.landmarks:
            if name.split(".")[-1] in ("foot", "toe", "heel"):
                continue
            height = layout.standing[f"{name.replace('.', '_')}_height"] * down
            side = {"left": width / 2, "right": -width / 2}.get(name.split(".")[0], 0.0)
            put(row, name, (x + ahead, y + side, height), (speed, drift, 0.0), lean)
        base = layout.blocks["sensor"][0]
        com = (x + ahead, y, layout.standing["com_height"] * down)
        place = (origin[0] + c * com[0] - s * com[1], origin[1] + s * com[0] + c * com[1], com[2])
        row[base + layout.com["position"] : base + layout.com["position"] + 3] = place
        row[base + layout.com["velocity"] : base + layout.com["velocity"] + 3] = (c * speed - s * drift, s * speed + c * drift, 0.0)
        # Foot f swings during every second step, from half a step behind the body to half a step ahead of it.
        index, part = divmod(t / step_s, 1.0)
        for f, side in enumerate(SIDES):
            swings = (int(index) % 2 == f) and speed > 0
            last = index if swings else index - 1
            # It stands where its last swing (step number n) put it: under the body at that step's end.
            previous = speed * step_s * (last - 1.0) if swings else speed * step_s * (last + 1.0)
            foot_x = previous + (2.0 * speed * step_s * part if swings else 0.0)
            lift = 0.05 * np.sin(np.pi * part) if swings else 0.0
            foot_speed = 2.0 * speed if swings else 0.0
            sideways = y + (width / 2 if side == "left" else -width / 2)
            for end, along in (("foot", 0.0), ("heel", -0.09), ("toe", 0.12)):
                name = f"{side}.{end}"
                height = layout.standing[f"{side}_{end}_height"] + lift
                put(row, name, (foot_x + along, sideways, height), (foot_speed, 0.0, 0.0), 0.0)
            start = layout.blocks["gait"][0] + f * len(GAIT_FIELDS)
            row[start] = 0.0 if swings and 0.05 < part < 0.95 else 1.0
            row[start + 1] = 0.5
    return rows.astype(np.float32)


def lowered(layout: FeatureLayout, ratios: np.ndarray, *, up: dict[str, float] | None = None, lifted: str = "") -> np.ndarray:
    """Return instants float32[T, f] of a body that stands on the spot, its heights above the feet at shares of those of standing.

    Args:
        layout: where quantities stand.
        ratios: [T], by time.
        up: landmark -> its height instead (m).
        lifted: the side whose foot is 0.1 m off the ground.
    """
    rows = walker(layout, seconds=len(ratios) * DT, speed=0.0).astype(np.float64)
    rates = np.gradient(ratios, DT) if len(ratios) > 1 else np.zeros(1)
    for name, offsets in layout.landmarks.items():
        foot = name.split(".")[-1] in ("foot", "toe", "heel")
        height = layout.standing[f"{name.replace('.', '_')}_height"]
        at = layout.column("sensor", offsets["position"] + 2)
        if not foot:
            rows[:, at] = height * ratios
            rows[:, layout.column("sensor", offsets["velocity"] + 2)] = height * rates
        elif lifted and name.startswith(lifted):
            rows[:, at] = height + 0.1
        if up and name in up:
            rows[:, at] = up[name]
    if lifted:
        rows[:, layout.columns("gait").start + SIDES.index(lifted) * len(GAIT_FIELDS)] = 0.0
    return rows.astype(np.float32)


def episode(instants: np.ndarray, muscles: int, *, seconds: float = 0.0, ended: str = "time", goal_speed: float = 0.0) -> Rollout:
    """Return instants as an executed episode; of a length that was asked for (s), else of their own."""
    count = len(instants)
    time, empty = np.arange(count) * DT, np.zeros((count, 1))
    rest = (empty, empty, np.full((count, muscles), 0.1), instants, empty, ("t",), np.ones(1), empty, time, np.zeros(count, int))
    return Rollout(0, seconds or count * DT, DT, ended, time, *rest, goal_speed)
