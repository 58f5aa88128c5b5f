"""Terminal values: what the end of a rollout says of the time after it; one file each, and the registry that packages add to."""

from __future__ import annotations

from pathlib import Path

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
    hint=", and files of movlr learn value (*.npz)",
)


def require_known(word: str) -> None:
    """Refuse a word that stands for no terminal value.

    Raises:
        UnknownName: there is none of that name.
    """
    if not _is_file(word):
        VALUES.require(word)


def make(word: str, layout: FeatureLayout) -> TerminalValue:
    """Return the terminal value of a body that a word stands for.

    Args:
        word: a name of the registry, or the file of a network.
        layout: of the body's instants.

    Raises:
        MovlrError: it stands for nothing, or does not suit the body.
    """
    if _is_file(word):
        from movlr_jax.control.values.fall_risk import FallRisk

        return FallRisk(layout, Path(word))
    return VALUES[word](layout)


def identity(word: str) -> str:
    """Return what a word stands for, as records of episodes know it: of a network the numbers in it, wherever its file stands.

    Raises:
        MovlrError: a file cannot be read.
    """
    from movlr_jax.control.values import fall_risk

    if not _is_file(word):
        return word
    return f"{fall_risk.FallRisk.name} {fall_risk.digest(Path(word))}"


def _is_file(word: str) -> bool:
    return word.endswith(".npz")


__all__ = ["VALUES", "TerminalValue", "identity", "make", "require_known"]
