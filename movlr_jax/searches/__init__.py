"""Search: the MoVLR iteration (write, prove, move, judge, keep), its archive and its resumption.

`run` and `resume` are loaded when they are first used: reading a run's configuration needs neither MuJoCo nor JAX.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from movlr_jax.runs.config import RunConfig, folder_of, free_folder
from movlr_jax.searches.events import Event, Progress

if TYPE_CHECKING:
    from movlr_jax.searches.assembly import resume, run

__all__ = ["Event", "Progress", "RunConfig", "folder_of", "free_folder", "resume", "run"]


def __getattr__(name: str) -> Any:
    if name not in ("resume", "run"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from movlr_jax.searches import assembly

    return getattr(assembly, name)
