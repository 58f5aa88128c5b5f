"""`movlr calibrate MORPHOLOGY`: tries the gains of a muscle law on short walks and names the best.

In: a body and a law. Out: a table, a row a gain, and the line to put in the body's file (or the flag to pass); --json for machines.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

import tyro

from movlr_jax import episode_rules
from movlr_jax.cli import console, flags
from movlr_jax.control.planners import MPPI, Planner
from movlr_jax.errors import require


@dataclass(frozen=True)
class Options:
    """Find the gain of a muscle law for one body, by short walks, or, for a hand, by short tries of its task."""

    morphology: Annotated[str, tyro.conf.Positional] = "myolegs"
    """The body: a name from `movlr morphologies`, or the YAML file of your own."""
    seconds: float = 3.0
    """Length of a trial walk [s]."""
    seeds: tuple[int, ...] = (0,)
    """Seeds, one walk each."""
    gains: tuple[float, ...] = ()
    """Gains to try; the law's own grid if left out."""
    goal_speed: float = 0.8
    """Speed to aim for [m/s]."""
    json: bool = False
    """Print one JSON document and nothing else on stdout."""
    planner: Planner = field(default_factory=MPPI)
    """The planner; --planner.law names the law."""

    def __post_init__(self) -> None:
        """Refuse values that no episode can have."""
        require(*episode_rules.seeds(self.seeds), episode_rules.seconds(self.seconds), episode_rules.goal_speed(self.goal_speed))


def main(argv: Sequence[str]) -> int:
    """Run the verb."""
    options = flags.parse(Options, argv, "calibrate")
    from movlr_jax import tasks
    from movlr_jax.control import calibration, laws
    from movlr_jax.control.episode import EpisodeRunner
    from movlr_jax.media import tables
    from movlr_jax.physics import engines
    from movlr_jax.rewards.features import feature_layout
    from movlr_jax.rewards.reward import Reward

    task = tasks.of(options.morphology)
    body, name = task.load(options.morphology), "straight" if "straight" in task.rewards else "human"
    heading = tables.heading(task.metric)
    law, _ = laws.resolve(options.planner.law, body)
    simulator = engines.make("auto", body, candidates=options.planner.candidates, plan_dt=options.planner.plan_dt)
    reward = Reward.trusted(name, task.rewards[name], feature_layout(body))

    def walk(runner: EpisodeRunner, seed: int) -> dict[str, Any]:
        return task.measure(body, task.episode(runner, reward, seed, seconds=options.seconds, goal_speed=options.goal_speed))

    def reached(t: calibration.GainResult) -> float:
        return sum(float(record[task.metric]) for record in t.episodes) / len(t.episodes)

    results = calibration.calibrate(
        simulator,
        options.planner,
        walk,
        seconds=options.seconds,
        seeds=options.seeds,
        gains=options.gains or None,
        progress=lambda t: console.stderr().print(f"gain {t.gain:g}: up {t.upright:.0%} of the time, {heading} {reached(t):.2f}"),
    )
    rows = [{"gain": t.gain, "upright": t.upright, task.metric: reached(t), "score": t.score} for t in results]
    if options.json:
        print(json.dumps({"morphology": body.name, "law": law, "best": results[0].gain, "trials": rows}))
        return 0
    seeds = ", ".join(map(str, options.seeds))
    how = f"{options.seconds:g} s" + (f" at {options.goal_speed:g} m/s" if task.walks else f" of {task.name}")
    title = f"{law} on {body.name}: {how}, seeds {seeds}"
    cells = [(f"{t.gain:g}", f"{t.upright:.2f}", f"{reached(t):.2f}") for t in results]
    best = results[0].gain
    out = console.stdout()
    out.print(console.table(title, ("gain", "share of time up", heading), cells))
    out.print(f"Best: {best:g}. Use it with --planner.gain {best:g}, or in the body's file: gains={{'{law}': {best:g}}}.")
    return 0
