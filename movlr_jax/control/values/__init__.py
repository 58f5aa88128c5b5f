"""Terminal values: what the end of a rollout says of the time after it; one file each, and the registry that packages add to."""

from __future__ import annotations

from movlr_jax.control.values.base import TerminalValue
from movlr_jax.registry import Registry, rule
from movlr_jax.rewards.layout import FeatureLayout

VALUES: Registry[type[TerminalValue]] = Registry(
    "terminal value",
    "movlr_jax.values",
    {"capture": "movlr_jax.control.values.capture:Capture"},
    rule(
        "subclass of movlr_jax.control.values.TerminalValue",
        lambda thing: isinstance(thing, type) and issubclass(thing, TerminalValue),
    ),
)


def require_known(word: str) -> None:
    """Refuse a word that stands for no terminal value.

    Raises:
        UnknownName: there is none of that name.
    """
    VALUES.require(word)


def make(word: str, layout: FeatureLayout) -> TerminalValue:
    """Return the terminal value of a body that a word stands for.

    Args:
        word: a name of the registry.
        layout: of the body's instants.

    Raises:
        MovlrError: it stands for nothing, or does not suit the body.
    """
    return VALUES[word](layout)


def identity(word: str) -> str:
    """Return what a word stands for, as records of episodes know it."""
    return word


__all__ = ["VALUES", "TerminalValue", "identity", "make", "require_known"]
