"""TrainConfig: every value of a training, with its default. Its YAML form is that of a run."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from movlr_jax import episode_rules
from movlr_jax.control.episode_config import Conditions, Subject, TaskName
from movlr_jax.errors import MovlrError, require


@dataclass(frozen=True)
class PpoConfig:
    """PPO (arXiv 1707.06347)."""

    unroll: int = 20
    """Control steps of every world between two updates."""
    epochs: int = 4
    """Times that an update goes over what was collected."""
    minibatches: int = 8
    """Parts, by worlds, that it is cut into each time."""
    learning_rate: float = 3e-4
    """Adam's."""
    discount: float = 0.99
    """Of a reward one control step later."""
    gae_lambda: float = 0.95
    """Of generalised advantage estimation (arXiv 1506.02438)."""
    clip: float = 0.2
    """How far a probability ratio counts."""
    entropy: float = 1e-3
    """Weight of the policy's entropy."""
    max_gradient: float = 1.0
    """Largest norm of a gradient."""
    policy_layers: tuple[int, ...] = (256, 256)
    """Hidden layers of the policy."""
    value_layers: tuple[int, ...] = (256, 256)
    """Hidden layers of the value function."""

    def __post_init__(self) -> None:
        """Refuse values that nothing can have."""
        for name in ("unroll", "epochs", "minibatches"):
            if getattr(self, name) < 1:
                raise MovlrError(f"ppo.{name} is {getattr(self, name)}: give 1 or more.")
        for name in ("learning_rate", "max_gradient", "clip"):
            if not getattr(self, name) > 0:
                raise MovlrError(f"ppo.{name} is {getattr(self, name):g}: give a number above 0.")
        if not 0 <= self.discount < 1:
            raise MovlrError(f"ppo.discount is {self.discount:g}: give a number from 0 to below 1.")
        if not 0 <= self.gae_lambda <= 1:
            raise MovlrError(f"ppo.gae_lambda is {self.gae_lambda:g}: give a number from 0 to 1.")
        if not all(width >= 1 for width in (*self.policy_layers, *self.value_layers)):
            raise MovlrError("ppo.policy_layers and ppo.value_layers hold widths: give numbers of 1 or more.")


@dataclass(frozen=True)
class DistilConfig:
    """The start from motions that MPC2 planned, cloned before PPO."""

    rollouts: tuple[str, ...] = ()
    """Files of episodes (rollout.npz) and run folders, which stand for their best's episodes; none: the policy starts untrained."""
    updates: int = 2000
    """Gradient steps of cloning."""
    batch: int = 256
    """Instants in each."""
    learning_rate: float = 1e-3
    """Adam's, for cloning."""

    def __post_init__(self) -> None:
        """Refuse values that nothing can have."""
        for name in ("updates", "batch"):
            if getattr(self, name) < 1:
                raise MovlrError(f"distil.{name} is {getattr(self, name)}: give 1 or more.")
        if not self.learning_rate > 0:
            raise MovlrError(f"distil.learning_rate is {self.learning_rate:g}: give a number above 0.")


@dataclass(frozen=True, kw_only=True)
class TrainConfig(Conditions, Subject, TaskName):
    """A training of a policy by PPO."""

    reward: str = "human"
    """A named reward of the task (human, start, ...), a reward file, or a run's folder, which stands for its best."""
    engine: str = "warp"
    """The physics engine of the training: warp (CUDA; CPU for small bodies) or jax (TPU)."""
    steps: int = 20_000_000
    """Control steps of all worlds together."""
    worlds: int = 1024
    """Worlds side by side."""
    sim_dt: float = 0.004
    """Step of the simulation [s]."""
    control_dt: float = 0.02
    """Time that an action is held [s]."""
    actions: Literal["muscles", "groups"] = "muscles"
    """What the policy excites: every muscle by itself, or groups of muscles found by DynSyn (arXiv 2407.11472)."""
    groups: int = 0
    """Groups to find; 0: as published for bodies of that size, for example 40 of 80 to 120 muscles and 100 of 700."""
    starts: int = 64
    """Seeded starts that episodes begin from."""
    ppo: PpoConfig = field(default_factory=PpoConfig)
    """PPO."""
    distil: DistilConfig = field(default_factory=DistilConfig)
    """The start from planned motions."""
    seed: int = 0
    """Seed of the training."""
    eval_every: int = 20
    """Updates between two evaluations by the task's metrics; the last update is evaluated in any case."""
    eval_seeds: tuple[int, ...] = (1000, 1001, 1002, 1003)
    """Seeds of the evaluated episodes, on the native engine; seeds below `starts` are trained on."""
    clip_every: int = 10
    """Evaluations between two clips of the first seed; 0: none."""
    checkpoint_every: int = 20
    """Updates between two checkpoints; the last update has one in any case."""
    keep: int = 3
    """Checkpoints to keep, the newest."""
    tracking: Literal["off", "offline", "online"] = "off"
    """Weights & Biases beside the local files: off, offline (files in the folder) or online."""
    project: str = "movlr-jax"
    """Weights & Biases project."""
    name: str = ""
    """The training's name; empty: the task's with the seed."""
    out: Path | None = None
    """The training's folder; empty: runs/train-NAME."""

    def __post_init__(self) -> None:
        """Refuse values that no training can have."""
        super().__post_init__()
        hold = self.control_dt / self.sim_dt if self.sim_dt > 0 else 0.0
        require(
            (self.engine in ("warp", "jax"), f"engine is '{self.engine}': train on warp or jax, the engines inside a compiled program."),
            (self.steps >= 1, f"steps is {self.steps}: give 1 or more."),
            (self.worlds >= 1, f"worlds is {self.worlds}: give 1 or more."),
            (0 < self.sim_dt <= 0.02, f"sim_dt is {self.sim_dt:g} s: give more than 0 and at most 0.02."),
            (
                hold >= 1 - 1e-6 and abs(hold - round(hold)) < 1e-6,
                f"control_dt is {self.control_dt:g} s: give a whole number of steps of sim_dt, {self.sim_dt:g} s.",
            ),
            (self.groups >= 0, f"groups is {self.groups}: give 0 (as published) or more."),
            (self.starts >= 1, f"starts is {self.starts}: give 1 or more."),
            (self.eval_every >= 1, f"eval_every is {self.eval_every}: give 1 or more."),
            *episode_rules.seeds(self.eval_seeds, "eval_seeds"),
            (self.seed >= 0, f"seed is {self.seed}: give 0 or more."),
            (self.clip_every >= 0, f"clip_every is {self.clip_every}: give 0 (none) or more."),
            (self.checkpoint_every >= 1, f"checkpoint_every is {self.checkpoint_every}: give 1 or more."),
            (self.keep >= 1, f"keep is {self.keep}: give 1 or more."),
            (
                self.worlds % self.ppo.minibatches == 0,
                f"{self.worlds} worlds cannot be cut into {self.ppo.minibatches} minibatches: set ppo.minibatches to a divisor.",
            ),
            (self.mjx.devices in (0, 1), f"mjx.devices is {self.mjx.devices}: a training has one device; start several with other seeds."),
            (not self.mjx.hosts, "mjx.hosts is for planning: a training has one host; start several with other seeds."),
        )

    @property
    def updates(self) -> int:
        """Updates that the steps make, at least one."""
        return max(1, self.steps // (self.worlds * self.ppo.unroll))
