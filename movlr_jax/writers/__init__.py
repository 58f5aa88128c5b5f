"""Writers: who rewrites the reward, and the source edits that keep the rest of a text as it was.

Here: the registry of those that ask no model; other packages add theirs to it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from movlr_jax.llm.config import SERVICES
from movlr_jax.registry import Registry, rule

if TYPE_CHECKING:
    from movlr_jax.writers.base import Writer

WRITERS: Registry[Callable[[], Writer]] = Registry(
    "writer",
    "movlr_jax.writers",
    {
        "offline": "movlr_jax.writers.offline_writer:OfflineWriter",
        "random": "movlr_jax.writers.random_writer:RandomWriter",
        "tuner": "movlr_jax.writers.tuner_writer:TunerWriter",
    },
    rule("class of writers, with the method write", lambda thing: hasattr(thing, "write")),
    hint=f", {', '.join(SERVICES)}",
)
