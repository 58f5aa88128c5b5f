"""The critic "clip": prefers the motion whose pictures look more like the goal sentence. It names no fault; suggestions are measured ones.

In: facts with CLIP's score (`vision.score`, put there when the motion was measured). Out: a Critique and a Preference.
"""

from __future__ import annotations

from pathlib import Path

from movlr_jax.critics.base import Evidence
from movlr_jax.critics.critique import Critique, Preference
from movlr_jax.critics.offline import OfflineCritic
from movlr_jax.errors import MovlrError
from movlr_jax.facts import Facts, Seen

# Scores nearer than this are one and the same: far below what a change of pose does, above what a change of one frame does.
_EQUAL = 1e-4


class ClipCritic:
    """Judges by CLIP's score; the critique around it is the offline critic's."""

    name = "clip"

    def __init__(self) -> None:
        self._measures = OfflineCritic()

    def critique(self, clip: Path | None, facts: Facts) -> Critique:
        """Return the offline critic's judgement with CLIP's score before it."""
        measured = self._measures.critique(clip, facts)
        seen = _seen(facts)
        summary = f'CLIP gives {seen.score:.4f} for "{seen.goal}". {measured.summary}'
        return measured.model_copy(update={"summary": summary})

    def compare(self, a: Evidence, b: Evidence) -> Preference:
        """Return the motion of the higher score."""
        one, other = _seen(a.facts).score, _seen(b.facts).score
        reason = f"CLIP gives {one:.4f} and {other:.4f}."
        if abs(one - other) < _EQUAL:
            return Preference(winner="tie", reason=reason)
        return Preference(winner="a" if one > other else "b", reason=reason)


def _seen(facts: Facts) -> Seen:
    """Return what CLIP saw.

    Raises:
        MovlrError: it saw nothing.
    """
    if facts.clip is None:
        raise MovlrError("CLIP has not seen this motion: name its weights with --clip.weights.")
    return facts.clip
