"""Actions: how a policy's numbers in (-1, 1) become excitations: one a muscle, or one a group of muscles that work together; one a motor.

x becomes the excitation sigmoid(5 (x - 0.5)), as in DynSyn (arXiv 2407.11472): an untrained policy, whose mean is 0, hardly excites. A
motor's is its standing one + x / 2: an untrained policy has it stay.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

KINDS: tuple[str, ...] = ("muscles", "groups")
_SLOPE, _MIDDLE = 5.0, 0.5
_MOTOR_SLOPE = 0.5  # of a motor's range an action
_FAINTEST, _EDGE = 1e-4, 0.99  # how near to 0 and 1 an excitation, and to -1 and 1 an action, is cloned


class Actions:
    """Excitations from actions.

    Args:
        group_of: for every muscle, then for every motor, the action that it follows; without groups its own number.
        rest: float[k], the motors' excitations in the standing start.
    """

    def __init__(self, group_of: Sequence[int] | np.ndarray, rest: Sequence[float] | np.ndarray = ()):
        self.group_of = np.asarray(group_of, int)
        self.size = int(self.group_of.max()) + 1
        self._rest = np.asarray(rest, np.float32)

    def excitation(self, action: Any) -> Any:
        """Return excitations[..., nu] of actions[..., size] in (-1, 1)."""
        action = jnp.asarray(action)[..., self.group_of]
        excited = jax.nn.sigmoid(_SLOPE * (action - _MIDDLE))
        if not len(self._rest):
            return excited
        first = len(self.group_of) - len(self._rest)
        return excited.at[..., first:].set(jnp.clip(self._rest + _MOTOR_SLOPE * action[..., first:], 0.0, 1.0))

    def raw(self, excitation: np.ndarray) -> np.ndarray:
        """Return actions[..., size] before the tanh, nearest to excitations[..., nu]; a group's is the mean of its muscles'."""
        unit = np.clip(np.asarray(excitation, np.float32), _FAINTEST, 1.0 - _FAINTEST)
        wanted = _MIDDLE + np.log(unit / (1.0 - unit)) / _SLOPE
        if len(self._rest):
            first = len(self.group_of) - len(self._rest)
            wanted[..., first:] = (np.asarray(excitation, np.float32)[..., first:] - self._rest) / _MOTOR_SLOPE
        wanted = np.clip(wanted, -_EDGE, _EDGE)
        shares = np.eye(self.size, dtype=np.float32)[self.group_of]
        return np.arctanh(wanted @ (shares / shares.sum(0)))
