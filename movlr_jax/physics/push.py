"""A push: a horizontal force on a landmark of the executed body for a short time, of which rollouts know nothing.

In: a state and a force. Out: the velocities after it. The force acts as one impulse a planning interval, so that any engine can be pushed:
the change of velocity is what MuJoCo's constrained dynamics give, (a(F) - a(0)) dt, with the body's contacts and couplings as they are.
"""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np
from jaxtyping import Float

from movlr_jax.errors import MovlrError, require
from movlr_jax.morphologies import Morphology
from movlr_jax.physics.simulator import State


@dataclass(frozen=True)
class Push:
    """A push.

    Attributes:
        start: when it begins (s, simulated time).
        seconds: how long it lasts (s).
        force: along x and y of the world (N).
        landmark: where it acts.
    """

    start: float
    seconds: float
    force: tuple[float, float]
    landmark: str = "trunk"

    def __post_init__(self) -> None:
        """Refuse what is no push."""
        finite = bool(np.isfinite([self.start, self.seconds, *self.force]).all())
        require((finite and self.seconds > 0, f"{self} is no push: give finite numbers, and a time above 0 s."))

    @property
    def end(self) -> float:
        """When it is over (s)."""
        return self.start + self.seconds

    def share(self, time: float, dt: float) -> float:
        """Return which share of the interval from `time` on of length dt (s) it lasts; none where rounding alone makes them meet."""
        share = (min(self.end, time + dt) - max(self.start, time)) / dt
        return share if share > 1e-6 else 0.0


class Pusher:
    """Pushes worlds of one body.

    Args:
        morphology: the body.
    """

    def __init__(self, morphology: Morphology):
        self._morphology = morphology
        self._data: mujoco.MjData | None = None

    def after(self, state: State, world: int, force: tuple[float, float], landmark: str, dt: float) -> Float[np.ndarray, " nv"]:
        """Return a world's velocities (of qvel) after a force has acted for dt.

        Args:
            state: the worlds.
            world: which.
            force: along x and y of the world (N).
            landmark: where it acts.
            dt: how long (s).

        Raises:
            MovlrError: the body has no such landmark.
        """
        model = self._morphology.model
        if landmark not in self._morphology.landmarks:
            raise MovlrError(f"{self._morphology.name} has no landmark {landmark} to push: it has {', '.join(self._morphology.landmarks)}.")
        site = int(model.sensor(f"{landmark}/position").objid[0])
        data = self._data = mujoco.MjData(model) if self._data is None else self._data
        accelerations = []
        for size in (0.0, 1.0):
            for name, field in (("qpos", "qpos"), ("qvel", "qvel"), ("act", "act"), ("ctrl", "ctrl"), ("warmstart", "qacc_warmstart")):
                getattr(data, field)[:] = np.asarray(getattr(state, name))[world]
            data.qfrc_applied[:] = 0.0
            mujoco.mj_fwdPosition(model, data)
            pushed = np.array([*force, 0.0]) * size
            mujoco.mj_applyFT(model, data, pushed, np.zeros(3), data.site_xpos[site], int(model.site_bodyid[site]), data.qfrc_applied)
            mujoco.mj_forward(model, data)
            accelerations.append(data.qacc.copy())
        return np.asarray(state.qvel)[world] + dt * (accelerations[1] - accelerations[0])
