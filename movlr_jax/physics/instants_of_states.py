"""Instants of states that no engine has stepped: a body led through poses, measured as an executed episode is.

In: states in order of time, with the frame of their episode. Out: instants, as `instant` packs them: C MuJoCo computes the sensors, the
muscles' forces and the loads under the feet of each state as it stands, and the feet remember from row to row. The loads are those of the
led pose, which need not carry the body.
"""

from __future__ import annotations

import mujoco
import numpy as np
from jaxtyping import Float, Float32

from movlr_jax._quiet import silence_mujoco
from movlr_jax.morphologies import Morphology
from movlr_jax.physics.feet import Feet
from movlr_jax.physics.instant import Instants


def instants(
    body: Morphology,
    time: Float[np.ndarray, " time"],
    qpos: Float[np.ndarray, "time nq"],
    qvel: Float[np.ndarray, "time nv"],
    act: Float[np.ndarray, "time na"],
    ctrl: Float[np.ndarray, "time nu"],
    frame: Float[np.ndarray, " columns"],
    dt: float,
) -> Float32[np.ndarray, "time f"]:
    """Return the instants of states.

    Args:
        body: the prepared body.
        time: of each state (s).
        qpos, qvel, act, ctrl: the states, and the excitations.
        frame: the frame's row (`Frame.row`).
        dt: time between the states (s).
    """
    silence_mujoco()
    pack, data = Instants(body), mujoco.MjData(body.lean)
    rows = np.zeros((len(time), pack.size), np.float32)
    for k, row in enumerate(rows):
        data.time = time[k]
        data.qpos[:], data.qvel[:], data.act[:], data.ctrl[:] = qpos[k], qvel[k], act[k], ctrl[k]
        mujoco.mj_forward(body.lean, data)
        pack.pack(pack.fixed(dt, np.asarray(frame, np.float32)) | pack.before(data) | pack.after(data), row)
    sensors = rows[:, pack.columns["sensor"]]
    start = Feet(body).initial(sensors[:1].astype(np.float64))
    feet, _ = pack.feet(sensors[None], start, np.asarray(frame, np.float32)[None], dt)
    return np.asarray(pack.pack(pack.ground(sensors) | {name: value[0] for name, value in feet.items()}, rows))
