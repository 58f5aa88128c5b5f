"""The registry of metrics: what each number of an episode's record is called, its unit, how it is written, and which way is better.

In: a metric's name, as it stands in records. Out: its `Metric`, which tables, reports, ablations, tunings and sweeps read. Tasks of others
add theirs with `register`; of a metric that nobody registered, the name says heading and unit, and more counts as better.
"""

from __future__ import annotations

from collections.abc import Iterable

from movlr_jax import goals, units
from movlr_jax.errors import MovlrError
from movlr_jax.tasks.gait_metrics import GAIT_METRICS
from movlr_jax.tasks.metric import Metric

__all__ = ["METRICS", "Metric", "metric", "register", "shown", "told"]


# In the order in which tables show them.
METRICS: dict[str, Metric] = {}


def register(metric: Metric) -> Metric:
    """Add a metric, and return it.

    Raises:
        MovlrError: another one has the name.
    """
    if METRICS.setdefault(metric.name, metric) != metric:
        raise MovlrError(f"There is another metric '{metric.name}' already: give yours a name of its own.")
    return metric


def metric(name: str) -> Metric:
    """Return the metric of a name; of one that nobody registered, what the name says."""
    return METRICS.get(name) or Metric(name, units.split(name)[0], ".3g")


def shown() -> list[str]:
    """Return the names of the metrics that tables of any task show, in their order."""
    return [name for name, metric in METRICS.items() if metric.shown]


def told(names: Iterable[str]) -> list[str]:
    """Return the names without those of details."""
    return [name for name in names if not metric(name).detail]


for _metric in (
    Metric("seed", "seed", "d", shown=False),
    Metric("seconds", "lasted"),
    Metric("fall_time_s", "fell at"),
    Metric("drop_time_s", "dropped at"),
    Metric("fell", "fell", better="lower", best=0.0, shown=False),
    Metric("dropped", "dropped", better="lower", best=0.0, shown=False),
    Metric("diverged", "diverged", better="lower", best=0.0, shown=False),
    Metric("falls", "falls", better="lower", best=0.0, shown=False),  # the share of episodes that fell or dropped their object
    Metric("diverged_candidates", "diverged candidates", ".3g", better="lower", best=0.0, shown=False),
    Metric("candidate_steps", "candidate steps", ".4g", better="lower", shown=False),
    Metric(goals.REACHED, "reached", best=1.0),
    Metric(goals.HELD, "held", best=1.0),
    *(Metric(t.metric, units.split(t.metric.removeprefix("goal_"))[0], better="higher" if t.up else "lower") for t in goals.TARGETS),
    Metric(goals.MOVING, "moving", better="lower", best=0.0),
    Metric(goals.SINKING, "sinking", better="lower", best=0.0),
    Metric(goals.FEET, "feet down", best=1.0),
    Metric("distance_m", "distance"),
    Metric("lateral_drift_m", "drift", better="lower"),
    Metric("heading_error_rad", "heading", better="lower"),
    Metric("mean_speed_mps", "speed"),
    Metric("effort", "effort", ".3f", better="lower"),
    Metric("step_symmetry", "symmetry", best=1.0),
    Metric("position_error_m", "position error", ".3f", better="lower"),
    Metric("final_position_error_m", "final position error", ".3f", better="lower"),
    Metric("orientation_error_rad", "orientation error", better="lower"),
    Metric("final_orientation_error_rad", "final orientation error", better="lower"),
    Metric("posture_change", "posture change", ".3g", better="lower", shown=False),
    Metric("final_posture_change", "final posture change", ".3g", better="lower", shown=False),
    Metric("final_joint_speed", "final joint speed", ".3g", better="lower", shown=False),
    Metric("score", "score", best=100.0, shown=False),
    Metric("mean_reward", "mean reward", ".4g", shown=False),
    Metric("clip_score", "CLIP score", ".3g"),
    *GAIT_METRICS,
):
    register(_metric)
