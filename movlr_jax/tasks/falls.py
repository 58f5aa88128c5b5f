"""When an episode is called a fall: a rule that belongs to the task, and for a sentence of your own follows from what it asks for.

In: instants [..., f], of numpy or jax.numpy. Out: whether each is one of a body that has fallen. A named task ends at a pelvis below 0.6 of
its standing height. A sentence may ask for less height than that, so there a fall is a descent that was not asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from jaxtyping import Bool, Float

from movlr_jax.gait.trajectory import height
from movlr_jax.goals import Goal
from movlr_jax.rewards.layout import FeatureLayout

LOW = 0.6  # of the pelvis's standing height
FAST = 1.0  # m/s downward; a body whose legs give way passes LOW at 1.5 to 2.5 m/s, one that sits down on purpose at 0.3 to 0.7
TOUCHING = 0.1  # of the head's standing height: a trunk or head so low lies on the ground


@dataclass(frozen=True)
class FallRule:
    """What of a motion is a fall.

    Attributes:
        low: share of its standing height below which the pelvis is down; 0: its height is never a fall.
        faster: speed at which it has to go down there (m/s); 0: its height alone is a fall.
        touching: share of the head's standing height below which a trunk or head is on the ground; 0: that is no fall.
    """

    low: float = LOW
    faster: float = 0.0
    touching: float = 0.0

    def over(self, layout: FeatureLayout, instants: Float[Any, "*batch f"]) -> Bool[Any, "*batch"]:
        """Say of instants, of numpy or jax.numpy, whether the body has fallen."""
        fallen = instants[..., 0] != instants[..., 0]  # none, in the shape and kind of the instants
        if self.low:
            down = height(layout, instants, "pelvis") < self.low * layout.standing["pelvis_height"]
            if self.faster:
                velocity = layout.column("sensor", layout.landmarks["pelvis"]["velocity"] + 2)
                down = down & (instants[..., velocity] < -self.faster)
            fallen = fallen | down
        if self.touching:
            for name in ("trunk", "head"):
                if name in layout.landmarks:
                    fallen = fallen | (height(layout, instants, name) < self.touching * stature(layout))
        return fallen

    def words(self) -> str:
        """Say when a body has fallen, as the end of a sentence that begins "a fall is"."""
        signs = ["the trunk or the head on the ground"] if self.touching else []
        if self.low and self.faster:
            signs.append(f"the pelvis going down faster than {self.faster:g} m/s to below {self.low:g} of its standing height")
        elif self.low:
            signs.append(f"the pelvis below {self.low:g} of its standing height above ground")
        return ", or ".join(signs) or "nothing: the sentence asks for being on the ground"


LOWERED = FallRule()
UNASKED = FallRule(faster=FAST, touching=TOUCHING)


def of(goal: Goal) -> FallRule:
    """Return the rule for a sentence: a descent that it does not ask for. Who is to lie may fall; who is to jump may land fast."""
    if goal.asks("not_lying"):
        return FallRule(low=0.0)
    return FallRule(low=0.0, touching=TOUCHING) if goal.asks("not_jumping") else UNASKED


def stature(layout: FeatureLayout) -> float:
    """Return the standing height of the head, or of the trunk on a body without one (m)."""
    return max(layout.standing["head_height" if "head" in layout.landmarks else "trunk_height"], 1e-3)
