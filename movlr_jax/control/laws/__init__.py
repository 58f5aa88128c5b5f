"""Muscle laws: the interface, one file a law, and the registry that other packages add theirs to.

"auto" is no law: it stands for the one that measured best on a body.
"""

from __future__ import annotations

from movlr_jax.control.laws.base import Law
from movlr_jax.morphologies import Morphology
from movlr_jax.registry import Registry, rule

AUTO = "auto"


LAWS: Registry[type[Law]] = Registry(
    "muscle law",
    "movlr_jax.laws",
    {
        "fibre-strain": "movlr_jax.control.laws.fibre_strain:FibreStrain",
        "posture-weighted": "movlr_jax.control.laws.posture_weighted:PostureWeighted",
        "paper": "movlr_jax.control.laws.paper:Paper",
        "paper-hoisted": "movlr_jax.control.laws.paper:PaperHoisted",
    },
    rule("subclass of movlr_jax.control.laws.Law", lambda thing: isinstance(thing, type) and issubclass(thing, Law)),
    hint=f" and {AUTO}",
)


def require_known(law: str) -> None:
    """Refuse a name that stands for no law.

    Raises:
        MovlrError: no such law.
    """
    if law != AUTO:
        LAWS.require(law)


def resolve(law: str, morphology: Morphology, gain: float | None = None) -> tuple[str, float]:
    """Return the law's name and gain: "auto" is the law that measured best on this body, with its calibrated gain.

    Raises:
        MovlrError: no such law.
    """
    name = morphology.plan.law if law == AUTO else law
    default = LAWS[name].default_gain
    return name, morphology.plan.gains.get(name, default) if gain is None else gain


def make(law: str, morphology: Morphology, dt: float, gain: float | None = None) -> Law:
    """Build a muscle controller by name, with the body's calibrated gain unless one is given.

    Args:
        law: "auto" or a name.
        morphology: the body.
        dt: step over which activations are to be reached (s).
        gain: the gain, in the law's own unit.

    Raises:
        MovlrError: no such law.
    """
    name, settled = resolve(law, morphology, gain)
    return LAWS[name](morphology, settled, dt)


__all__ = ["AUTO", "LAWS", "Law", "make", "require_known", "resolve"]
