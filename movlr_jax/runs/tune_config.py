"""How weights and parameters are tuned: by `movlr tune`, and inside a search.

Flows in: flags and YAML values. Flows out: frozen records that no tuning can be wrong about.
"""

from __future__ import annotations

from dataclasses import dataclass

from movlr_jax import episode_rules
from movlr_jax.errors import did_you_mean, require

SAMPLERS = ("cmaes", "tpe", "gp", "random")


@dataclass(frozen=True)
class TuneConfig:
    """How `movlr tune` tunes weights, and with them the parameters that a program declares."""

    objective: str = ""
    """What is made better: a metric of `movlr rollout TASK --json` (distance_m, ...), score (the offline critic's), clip_score, or
    preference (each trial's motion is compared with the best before it, by --critic); the task's own metric if left out."""
    sampler: str = "cmaes"
    """Who draws the weights: cmaes, tpe, gp (Bayesian; needs torch) or random."""
    trials: int = 40
    """Weights to try, the reward's own included."""
    span: float = 10.0
    """Every weight stays between its own divided and multiplied by this."""
    parameters: bool = True
    """Vary the parameters that the program declares, each within its range, beside the weights; False: they stay as they are."""
    parallel: int = 1
    """Trials of one batch: they are drawn before any of them is measured, and measured at the same time, on the native engine by as many
    processes, elsewhere side by side."""
    seed: int = 0
    """Seed of what the sampler draws."""
    confirm: tuple[int, ...] = ()
    """Further seeds on which the finalists are measured once all trials are made; what is best over these and the trials' own is taken. The
    best of many trials on few seeds owes much of its lead to luck."""
    finalists: int = 3
    """How many of the best trials --confirm measures, the reward's own weights beside them."""
    held_out: tuple[int, ...] = (1001, 1002, 1003)
    """Seeds on which the start and the best are compared at the end; none of the trials sees them."""
    max_minutes: float = 0.0
    """Stop after this many minutes, with everything saved; 0: no limit."""

    def __post_init__(self) -> None:
        """Refuse values that cannot be."""
        require(
            *_drawn(self.sampler, self.span),
            (self.trials >= 1, f"trials is {self.trials}: give 1 or more."),
            (self.parallel >= 1, f"parallel is {self.parallel}: give 1 or more."),
            (self.seed >= 0, f"seed is {self.seed}: give 0 or more."),
            (self.max_minutes >= 0, f"max_minutes is {self.max_minutes:g}: give 0 (no limit) or more."),
            *episode_rules.seeds(self.held_out, "held_out", least=0),
            *episode_rules.seeds(self.confirm, "confirm", least=0),
            (self.finalists >= 1, f"finalists is {self.finalists}: give 1 or more."),
            (
                not set(self.confirm) & set(self.held_out),
                "--confirm and --held-out name the same seeds: nothing that chooses may see those held out.",
            ),
        )


@dataclass(frozen=True)
class InnerTune:
    """How a search tunes the weights and parameters of each text that its writer wrote; its own gates and score say which are better."""

    trials: int = 0
    """Sets to try for each text, the one that was written included; 0: weights and parameters stay as written."""
    sampler: str = "cmaes"
    """Who draws the weights: cmaes, tpe, gp (Bayesian; needs torch) or random."""
    span: float = 3.0
    """Every weight stays between what was written divided and multiplied by this."""
    parameters: bool = True
    """Vary the parameters that a text declares, each within its range, beside the weights; False: they stay as written."""

    def __post_init__(self) -> None:
        """Refuse values that cannot be."""
        fine = self.trials == 0 or self.trials >= 2
        sentence = f"tune.trials is {self.trials}: give 0 (off), or 2 or more, of which the first is the weights as written."
        require(*_drawn(self.sampler, self.span, "tune."), (fine, sentence))

    def applies(self, iteration: int) -> bool:
        """Say whether an iteration's texts are tuned; the start reward, number 0, stays as it is."""
        return self.trials > 0 and iteration > 0


def _drawn(sampler: str, span: float, prefix: str = "") -> tuple[tuple[bool, str], ...]:
    return (
        (sampler in SAMPLERS, f"There is no sampler '{sampler}': {did_you_mean(sampler, SAMPLERS)}use {', '.join(SAMPLERS)}."),
        (1.0 < span <= 1e4, f"{prefix}span is {span:g}: give more than 1 and at most 10000."),
    )
