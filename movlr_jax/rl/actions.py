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
