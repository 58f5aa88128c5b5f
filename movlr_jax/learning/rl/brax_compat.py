"""Brax, as this package uses it: the one place that imports it, and what it needs under recent JAX.

Brax 0.14 puts its training state on devices by `jax.device_put_replicated`, which JAX 0.10 removed. `parts` sets a stand-in, so that
Brax's own trainers run beside ours. Our loop takes Brax's networks, losses, acting, gradients and running statistics.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from movlr_jax.errors import MovlrError

_PARTS = {
    "networks": "brax.training.agents.ppo.networks",
    "losses": "brax.training.agents.ppo.losses",
    "acting": "brax.training.acting",
    "gradients": "brax.training.gradients",
    "running_statistics": "brax.training.acme.running_statistics",
    "specs": "brax.training.acme.specs",
    "types": "brax.training.types",
    "pmap": "brax.training.pmap",
}


@functools.cache
def parts() -> SimpleNamespace:
    """Return Brax's modules by the names of `_PARTS`, imported when they are first asked for.

    Raises:
        MovlrError: Brax is not installed.
    """
    if importlib.util.find_spec("brax") is None:
        raise MovlrError("Training needs Brax: pip install 'movlr-jax[rl]'.")
    if not hasattr(jax, "device_put_replicated"):
        setattr(jax, "device_put_replicated", device_put_replicated)  # noqa: B010 - which JAX says it never had
    return SimpleNamespace(**{name: importlib.import_module(module) for name, module in _PARTS.items()})


def device_put_replicated(tree: Any, devices: Sequence[jax.Device]) -> Any:
    """Return a tree whose leaves lead with an axis over the devices, one copy on each."""
    sharding = NamedSharding(Mesh(np.array(devices), ("device",)), PartitionSpec("device"))

    def put(leaf: Any) -> Any:
        whole = jnp.asarray(leaf)
        return jax.device_put(jnp.broadcast_to(whole[None], (len(devices), *whole.shape)), sharding)

    return jax.tree.map(put, tree)
