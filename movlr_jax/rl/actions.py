"""Actions: how a policy's numbers in (-1, 1) become excitations: one a muscle, or one a group of muscles that work together.

x becomes the excitation sigmoid(5 (x - 0.5)), as in DynSyn (arXiv 2407.11472): an untrained policy, whose mean is 0, hardly excites.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

KINDS: tuple[str, ...] = ("muscles", "groups")
_SLOPE, _MIDDLE = 5.0, 0.5
_FAINTEST, _EDGE = 1e-4, 0.99  # how near to 0 and 1 an excitation, and to -1 and 1 an action, is cloned


class Actions:
    """Excitations from actions.

    Args:
        group_of: for every muscle the action that it follows; without groups its own number.
    """

    def __init__(self, group_of: Sequence[int] | np.ndarray):
        self.group_of = np.asarray(group_of, int)
        self.size = int(self.group_of.max()) + 1

    def excitation(self, action: Any) -> Any:
        """Return excitations[..., nu] of actions[..., size] in (-1, 1)."""
        return jax.nn.sigmoid(_SLOPE * (jnp.asarray(action)[..., self.group_of] - _MIDDLE))

    def raw(self, excitation: np.ndarray) -> np.ndarray:
        """Return actions[..., size] before the tanh, nearest to excitations[..., nu]; a group's is the mean of its muscles'."""
        unit = np.clip(np.asarray(excitation, np.float32), _FAINTEST, 1.0 - _FAINTEST)
        wanted = np.clip(_MIDDLE + np.log(unit / (1.0 - unit)) / _SLOPE, -_EDGE, _EDGE)
        shares = np.eye(self.size, dtype=np.float32)[self.group_of]
        return np.arctanh(wanted @ (shares / shares.sum(0)))
