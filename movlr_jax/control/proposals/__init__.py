"""Proposals: candidates that are not the planner's own; one file each, and the registry that other packages add theirs to."""

from movlr_jax.control.proposals.base import Proposals
from movlr_jax.registry import Registry, rule

PROPOSALS: Registry[type[Proposals]] = Registry(
    "kind of proposals",
    "movlr_jax.proposals",
    {"capture-step": "movlr_jax.control.proposals.capture_step:CaptureStep"},
    rule("subclass of movlr_jax.control.proposals.Proposals", lambda thing: isinstance(thing, type) and issubclass(thing, Proposals)),
)

__all__ = ["PROPOSALS", "Proposals"]
