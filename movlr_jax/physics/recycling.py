"""Programs that write their results where those of an earlier call lie.

MuJoCo Warp captures a step as a CUDA graph of the addresses that its operands have, and XLA lays operands of a step into the buffers of the
program's results. Results that lie elsewhere at every call have the step captured again, some hundreds of launches each time. So a call
donates to its program the results of the call before the `kept` latest: nothing is read of them, their memory is what the new ones take.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax.sharding import Sharding


class Recycling:
    """A compiled program whose results take the memory of older ones; those must not be read any more.

    Args:
        program: traceable.
        shapes: the program's arguments -> its results as a tree of jax.ShapeDtypeStruct.
        kept: of how many calls, this one left out, the results stay as they are.
        sharding: of all results.
        options: of the compiler.

    Attributes:
        compiled: the jitted program of (old results, *arguments).
    """

    def __init__(
        self,
        program: Callable[..., Any],
        shapes: Callable[..., Any],
        kept: int,
        sharding: Sharding,
        options: dict[str, str | bool | int] | None = None,
    ):
        self._shapes, self._kept, self._sharding = shapes, kept, sharding
        self._results: deque[Any] = deque()

        def over(old: Any, *arguments: Any) -> Any:
            del old  # its memory is all that is wanted of it
            return program(*arguments)

        self.compiled = jax.jit(over, donate_argnums=0, keep_unused=True, compiler_options=options)

    def __call__(self, *arguments: Any) -> Any:
        """Run the program."""
        if len(self._results) > self._kept:
            old = self._results.popleft()
        else:
            blank = jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), self._shapes(*arguments))
            old = jax.device_put(blank, self._sharding)
        self._results.append(self.compiled(old, *arguments))
        return self._results[-1]
