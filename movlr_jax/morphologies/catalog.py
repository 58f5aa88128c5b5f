"""The catalog of bodies. Adding one: a file with its BodyPlan, and a line here. A user's own stands in a YAML file (custom.py), another
package's in that package, which names it by an entry point."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable
from pathlib import Path

from movlr_jax.errors import MovlrError
from movlr_jax.morphologies import custom
from movlr_jax.morphologies.body_plan import BodyPlan
from movlr_jax.morphologies.morphology import Morphology
from movlr_jax.morphologies.prepare import prepare
from movlr_jax.morphologies.scene import FLAT, Scene
from movlr_jax.registry import Registry, rule

DEFAULT = "myolegs"
CATALOG: Registry[BodyPlan] = Registry(
    "morphology",
    "movlr_jax.bodies",
    {
        "myolegs": "movlr_jax.morphologies.myolegs:PLAN",
        "ms-human-700-locomotion": "movlr_jax.morphologies.ms_human_700:LOCOMOTION",
        "ms-human-700": "movlr_jax.morphologies.ms_human_700:FULL",
        "ms-human-700-manipulation": "movlr_jax.morphologies.ms_human_700_hand:PLAN",
        "myofullbody": "movlr_jax.morphologies.myofullbody:PLAN",
        "ostrich": "movlr_jax.morphologies.ostrich:PLAN",
    },
    rule("movlr_jax.morphologies.BodyPlan", lambda thing: isinstance(thing, BodyPlan)),
)


def plan(name: str) -> BodyPlan:
    """Return the plan of that name, or of that YAML file.

    Raises:
        MovlrError: there is none, or the file does not describe a body.
    """
    if custom.names_file(name):
        return admitted(name, custom.load(Path(name)))
    return CATALOG[name]


def admitted(name: str, plan: BodyPlan) -> BodyPlan:
    """Return the plan of a YAML file.

    Raises:
        MovlrError: it is named as a body of the catalog is.
    """
    if plan.name in CATALOG:
        raise MovlrError(f"{name} is named {plan.name}, as a body of the catalog is: give it another name.")
    return plan


def require_distinct(names: Iterable[str]) -> None:
    """Refuse bodies that are unknown, and two of one name, which tables would not tell apart.

    Raises:
        MovlrError: as `plan`; or two files name their bodies alike.
    """
    first: dict[str, str] = {}
    for name in names:
        called = plan(name).name
        other = first.setdefault(called, name)
        if custom.settled(other) != custom.settled(name):
            raise MovlrError(f"{other} and {name} are both named {called}: give one of them another name.")


def load(name: str = DEFAULT, scene: Scene = FLAT) -> Morphology:
    """Load and prepare a body in a scene; prepared bodies are kept for the life of the process.

    Raises:
        MovlrError: the name is unknown, its model is not on this machine, or the scene does not suit it.
    """
    return _prepared(name, scene)


@functools.lru_cache(maxsize=4)
def _prepared(name: str, scene: Scene) -> Morphology:
    return dataclasses.replace(prepare(plan(name), scene), scene=scene, word=name)
