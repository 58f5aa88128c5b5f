"""Held: a controller without a law. What it is given as a posture is the excitation itself, held for the whole time.

For policies, which speak to the muscles, and for looking at a state: every engine then steps them as it steps the muscle laws.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Held:
    """Excitations given as they are; "postures" are excitations[W, nu]. All are the same controller, so that none compiles anew."""

    every_step = False

    def targets(self, simulator: Any, posture: Any, qpos: Any, peak_force: Any = None) -> Any:
        """Return the excitations."""
        return posture

    def excitation(self, targets: Any, qpos: Any, act: Any, length: Any) -> Any:
        """Return the excitations."""
        return targets
