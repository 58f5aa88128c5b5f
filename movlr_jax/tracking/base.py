"""Tracker: who is told of each closed iteration. The run's folder stays the truth; a tracker mirrors it.

Flows in: scalars by name, pictures and clips as paths. Flows out: whatever the tracker keeps. A tracker never raises
and never blocks a run: it says once that it gave up, and goes quiet.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol


class Tracker(Protocol):
    """Mirrors a run somewhere."""

    name: str

    def start(self, config: Mapping[str, Any], run_id: str) -> None:
        """Begin, or go on with the run of that id.

        Args:
            config: the run's configuration, plain values.
            run_id: stable over resumes.
        """
        ...

    def log(self, iteration: int, scalars: Mapping[str, float], images: Mapping[str, Path], videos: Mapping[str, Path]) -> None:
        """Take what belongs to one iteration; the same iteration may come twice when a run was killed in between."""
        ...

    def finish(self) -> None:
        """End; waits a bounded time for what is still under way."""
        ...
