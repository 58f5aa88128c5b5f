"""Critics: who watches a motion, what is wrong with it, and which of two is better. They read records, never the
physics. Here: the registry of those that ask no model; other packages add theirs to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from movlr_jax.llm.config import SERVICES
from movlr_jax.registry import Registry, rule

if TYPE_CHECKING:
    from movlr_jax.critics.base import Critic

CRITICS: Registry[Callable[[], Critic]] = Registry(
    "critic",
    "movlr_jax.critics",
    {"offline": "movlr_jax.critics.offline:OfflineCritic", "clip": "movlr_jax.critics.clip_critic:ClipCritic"},
    rule("class of critics, with the methods critique and compare", lambda thing: hasattr(thing, "critique") and hasattr(thing, "compare")),
    hint=f", {', '.join(SERVICES)}",
)
