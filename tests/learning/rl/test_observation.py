"""What a policy sees: where it stands, that places are relative, and that the excitation to come is not seen."""

from __future__ import annotations

import numpy as np

from movlr_jax import tasks
from movlr_jax.learning.rl.observation import Observation
from movlr_jax.physics.instant import Instants


def test_layout(myolegs, layout, simulator8):
    task = tasks.get("walk_flat")
    start = task.start(myolegs, 3)
    instant = Instants(simulator8.morphology).at_rest(start.qpos, start.act, task.frame(start).row(), 0.02)
    observation = Observation(myolegs)
    row = np.asarray(observation(instant[None]))[0]
    part = {name: row[slice(*span)] for name, span in observation.blocks.items()}
    landmarks, joints = len(myolegs.landmarks), len(part["joints"]) // 2
    assert list(part) == ["height", "landmarks", "axes", "com", "joints", "muscles", "goal", "time", "gait"]
    assert [len(p) for p in part.values()] == [landmarks, 6 * landmarks - 3 + 1, 6 * landmarks, 6, 2 * joints, 160, 3, 9, 18]
    assert observation.size == len(row) == sum(map(len, part.values()))
    assert np.isfinite(row).all() and np.abs(row).max() < 5.0
    assert np.isclose(part["height"][myolegs.landmarks.index("pelvis")], layout.standing["pelvis_height"], atol=0.03)
    assert np.allclose(part["muscles"][:80], start.act, atol=1e-6)
    assert part["goal"].tolist() == [np.float32(0.8), 1.0, 0.0]
    knee = list(layout.joints).index("knee_angle_r")
    lower, upper = layout.joint_ranges["knee_angle_r"]
    angle = start.qpos[layout.joints["knee_angle_r"][0]]
    assert np.isclose(part["joints"][knee], (angle - (lower + upper) / 2) / ((upper - lower) / 2), atol=1e-5)
    # Elsewhere on the ground, facing elsewhere, and about to be excited otherwise: the same is seen.
    moved = instant.copy()
    turn = 0.7
    c, s = np.cos(turn), np.sin(turn)
    span = slice(*layout.blocks["sensor"])
    sensors = moved[span].copy()
    half = np.array([np.cos(turn / 2), 0, 0, np.sin(turn / 2)])

    def place(at, shift):
        x, y = sensors[at : at + 2]
        sensors[at : at + 2] = (c * x - s * y + shift[0], s * x + c * y + shift[1])

    for offsets in layout.landmarks.values():
        place(offsets["position"], (2.0, -1.0))
        place(offsets["velocity"], (0.0, 0.0))
        w, x, y, z = sensors[offsets["quat"] : offsets["quat"] + 4]
        sensors[offsets["quat"] : offsets["quat"] + 4] = (
            half[0] * w - half[3] * z,
            half[0] * x - half[3] * y,
            half[0] * y + half[3] * x,
            half[0] * z + half[3] * w,
        )
    place(layout.com["position"], (2.0, -1.0))
    place(layout.com["velocity"], (0.0, 0.0))
    moved[span] = sensors
    gait = moved[layout.columns("gait")].reshape(2, 8)
    for foot in gait:
        x, y = foot[4:6]
        foot[4:6] = (c * x - s * y + 2.0, s * x + c * y - 1.0)
    moved[layout.columns("frame")] = (2.0, -1.0, c, s)
    root = slice(layout.blocks["qpos"][0], layout.blocks["qpos"][0] + 7)
    moved[root] = 9.0
    moved[layout.columns("ctrl")] = 0.123
    assert np.allclose(np.asarray(observation(moved[None]))[0], row, atol=2e-5)
