"""Scene: what is changed about a body and its surroundings before it moves: the ground, a table, an object, and injured muscles."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence
from dataclasses import dataclass, field

import mujoco

from movlr_jax.errors import MovlrError, did_you_mean
from movlr_jax.morphologies.muscles import PEAK_FORCE, MuscleData
from movlr_jax.morphologies.objects import Object, Table
from movlr_jax.morphologies.terrain import Flat, Terrain


@dataclass(frozen=True)
class Scene:
    """A scene; equal scenes are one key of a cache.

    Attributes:
        terrain: the ground.
        injuries: (pattern, fraction): the muscles whose names match (* and ? as in a shell) keep this fraction of their active force. At
            0 a muscle still resists being stretched, as in the reference, which silences the excitations of the injured.
        thing: the object that a hand works with; None for none.
        table: the table it works over; None for none.
    """

    terrain: Terrain = field(default_factory=Flat)
    injuries: tuple[tuple[str, float], ...] = ()
    thing: Object | None = None
    table: Table | None = None

    def furnish(self, spec: mujoco.MjSpec) -> None:
        """Add the table and the object to a spec."""
        for part in (self.table, self.thing):
            if part is not None:
                part.add(spec)


FLAT = Scene()


def parse_injuries(words: Sequence[str]) -> tuple[tuple[str, float], ...]:
    """Return injuries from PATTERN=FRACTION.

    Raises:
        MovlrError: a text is not of that form or its fraction is not within [0, 1].
    """
    injuries = []
    for text in words:
        pattern, sign, number = text.rpartition("=")
        try:
            fraction = float(number)
        except ValueError:
            fraction = -1.0
        if not (sign and pattern and 0.0 <= fraction <= 1.0):
            raise MovlrError(f"'{text}' is no injury: write PATTERN=FRACTION with a fraction from 0 to 1, for example 'semi*_r=0.5'.")
        injuries.append((pattern, fraction))
    return tuple(injuries)


def injury_words(injuries: Sequence[tuple[str, float]]) -> tuple[str, ...]:
    """Return PATTERN=FRACTION of injuries: what `parse_injuries` reads."""
    return tuple(f"{pattern}={fraction!r}" for pattern, fraction in injuries)


def at_strength(own: Sequence[tuple[str, float]], words: Sequence[str], strength: float) -> tuple[str, ...]:
    """Return injuries PATTERN=FRACTION in which what has no fraction of its own keeps that strength.

    Args:
        own: injuries that the scene has (see Scene); they keep it where no word does.
        words: PATTERN=FRACTION, which stays as it is, or PATTERN.
        strength: the fraction.
    """
    added = () if any("=" not in text for text in words) else [pattern for pattern, _ in own]
    return tuple(text if "=" in text else f"{text}={strength:.12g}" for text in (*added, *words))


def injure(spec: mujoco.MjSpec, muscles: MuscleData, injuries: Sequence[tuple[str, float]]) -> None:
    """Scale the peak active force of muscles in a spec; later injuries of one muscle replace earlier ones.

    Args:
        spec: the body, its actuators in the order of `muscles`.
        muscles: its muscles as compiled, whose peak forces are known.
        injuries: see Scene.

    Raises:
        MovlrError: a pattern matches no muscle.
    """
    for pattern, fraction in injuries:
        hit = [i for i, name in enumerate(muscles.names) if fnmatch.fnmatchcase(name, pattern)]
        if not hit:
            raise MovlrError(
                f"The injury {pattern}={fraction:g} matches none of the {muscles.count} muscles: {did_you_mean(pattern, muscles.names)}"
                f"they are called {', '.join(muscles.names[:6])}, ..."
            )
        for i in hit:
            prm = spec.actuators[i].gainprm
            prm[PEAK_FORCE] = fraction * muscles.peak_force[i]
            spec.actuators[i].gainprm = prm
