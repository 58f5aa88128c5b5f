"""RunConfig: every value of a run, with its default, and its YAML form.

Flows in: YAML files and the command line's values. Flows out: a frozen record, and the config.yaml of the run's folder.
"""

from __future__ import annotations

import dataclasses
import itertools
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from movlr_jax import code_names, typed_yaml
from movlr_jax.control.episode_config import EpisodeConfig
from movlr_jax.critics.attachments import Show
from movlr_jax.errors import require
from movlr_jax.llm.config import SERVICES, ModelsConfig
from movlr_jax.runs import race_config
from movlr_jax.runs.race_config import RaceConfig
from movlr_jax.runs.tune_config import InnerTune
from movlr_jax.vision.config import ClipConfig


@dataclass(frozen=True, kw_only=True)
class RunConfig(EpisodeConfig):
    """A search for a reward."""

    iterations: int = 8
    """Rewards to write after the start reward, which is iteration 0."""
    candidates: int = 1
    """Rewards to write in each iteration; the best of them goes on."""
    seed: int = 0
    """Seed of the run: all that is drawn by writers and critics derives from it."""
    start_reward: str = "start"
    """The reward of iteration 0: start or human (the task's own), a reward file, or the folder of a run (its best)."""
    attempts: int = 4
    """Texts that a candidate may take until one is proven; each after the first is told why the last was refused."""
    patience: int = 0
    """Stop after this many iterations without a new best; 0: never."""
    stagnation: int = 4
    """Name a stagnation after this many iterations without a new best."""
    max_minutes: float = 0.0
    """Stop after this many minutes of one `run` or `resume`, with everything saved; 0: no limit."""
    max_calls: int = 0
    """Stop before the run, resumes included, makes more model calls than this, with everything saved; 0: no limit."""
    max_cost: float = 0.0
    """Stop, with everything saved, once the run's model calls, resumes included, have cost this much [USD]; 0: no limit."""
    max_simulated: float = 0.0
    """Stop, with everything saved, once the run has executed this much motion, all episodes together [s]; 0: no limit."""
    tune: InnerTune = field(default_factory=InnerTune)
    """Tuning the weights of each text that the writer wrote, inside the iteration."""
    race: RaceConfig = field(default_factory=RaceConfig)
    """Eliminating programs that are clearly worse before they are run whole on all seeds, and further seeds for near decisions."""
    method: str = "movlr"
    """How feedback becomes a reward: movlr (a critic watches the clip), eureka (the writer sees what was measured), harmon (four frames),
    vlm-only (one model watches and writes), vlm-rm (CLIP's score tunes the weights), human or start (no learning)."""
    critic: str = "offline"
    """Who watches. `offline` measures, and needs no key, network or GPU; `gemini`, or `openai` for any OpenAI-compatible server; `clip`
    prefers by CLIP's score."""
    writer: str = "offline"
    """Who writes. `offline` edits from the term library, and needs no key, network or GPU; `random` draws its edits, for comparison;
    `tuner` moves the weights alone; `gemini`, or `openai` for any OpenAI-compatible server."""
    show: Show = field(default_factory=Show)
    """What a model that watches is shown."""
    show_failed: bool = True
    """Whether writers are shown the drafts that failed, with what shows why; without it they know a line of each."""
    ask: bool = False
    """After each critique, show it and the clip, and take a sentence of advice from you."""
    models: ModelsConfig = field(default_factory=ModelsConfig)
    """The models that critics and writers ask."""
    clip: ClipConfig = field(default_factory=ClipConfig)
    """CLIP, which measures how much the motion looks like the goal."""
    tracking: Literal["off", "offline", "online"] = "off"
    """Weights & Biases beside the local files: off, offline (files in the run's folder) or online."""
    project: str = "movlr-jax"
    """Weights & Biases project."""
    group: str = ""
    """Weights & Biases group, under which runs that belong together are shown; empty: none."""
    name: str = ""
    """The run's name; empty: the task's with the seed."""
    out: Path | None = None
    """The run's folder; empty: runs/NAME."""

    def __post_init__(self) -> None:
        """Refuse values that no run can have."""
        super().__post_init__()
        require(
            (self.iterations >= 0, f"iterations is {self.iterations}: give 0 or more."),
            (self.candidates >= 1, f"candidates is {self.candidates}: give 1 or more."),
            (self.attempts >= 1, f"attempts is {self.attempts}: give 1 or more."),
            (self.patience >= 0, f"patience is {self.patience}: give 0 (never stop) or more."),
            (self.stagnation >= 1, f"stagnation is {self.stagnation}: give 1 or more."),
            (self.max_minutes >= 0, f"max_minutes is {self.max_minutes}: give 0 (no limit) or more."),
            (self.max_calls >= 0, f"max_calls is {self.max_calls}: give 0 (no limit) or more."),
            (self.max_cost >= 0, f"max_cost is {self.max_cost}: give 0 (no limit) or more."),
            (self.max_simulated >= 0, f"max_simulated is {self.max_simulated}: give 0 (no limit) or more."),
            (
                not (self.mjx.hosts and self.max_minutes),
                "max_minutes cannot be kept by several hosts, whose clocks differ: leave it out, or stop the run by hand.",
            ),
            (
                not (self.mjx.hosts and {self.critic, self.writer} & set(SERVICES)),
                "Several hosts cannot ask a model, which would answer each of them differently: use the critic and the writer `offline`.",
            ),
        )

    def to_yaml(self) -> str:
        """Return the configuration as YAML."""
        return typed_yaml.dump(self)

    def to_values(self) -> dict[str, Any]:
        """Return the configuration as plain values, nested as in YAML."""
        return typed_yaml.plain(self)

    @staticmethod
    def from_yaml(text: str, origin: str = "the configuration") -> RunConfig:
        """Return the configuration in a YAML text; what it leaves out has its default.

        Args:
            text: YAML.
            origin: what to call the text in an error.

        Raises:
            MovlrError: it is not YAML, names an unknown value, or gives one of the wrong type.
        """
        return typed_yaml.parse(text, RunConfig, origin)

    @staticmethod
    def from_values(raw: Any, origin: str = "the configuration") -> RunConfig:
        """Return the configuration of plain values, nested as in YAML; what they leave out has its default.

        Args:
            raw: the values.
            origin: what to call them in an error.

        Raises:
            MovlrError: they name an unknown value, or give one of the wrong type.
        """
        return typed_yaml.validated(raw, RunConfig, origin)

    @staticmethod
    def load(path: Path) -> RunConfig:
        """Return the configuration in a YAML file.

        Raises:
            MovlrError: there is no such file, or as in `from_yaml`.
        """
        return typed_yaml.load(path, RunConfig)

    @staticmethod
    def recorded(path: Path) -> RunConfig:
        """Return the configuration in the config.yaml of a run's folder, which says every value.

        What a later version added is as it was without it: a run that knew no race goes on, and is repeated, without one.

        Raises:
            MovlrError: there is no such file, or as in `from_yaml`.
        """
        values = typed_yaml.values(typed_yaml.read(path, "configuration"), str(path))
        config = RunConfig.from_values({} if values is None else values, str(path))
        return config if isinstance(values, dict) and "race" in values else dataclasses.replace(config, race=race_config.OFF)


def folder_of(config: RunConfig) -> Path:
    """Return the folder that a run of this configuration works in."""
    return config.out if config.out is not None else Path("runs") / (config.name or f"{code_names.label(config.task)}-{config.seed}")


def free_folder(config: RunConfig) -> RunConfig:
    """Return the configuration with a folder that holds nothing yet: runs/NAME, else runs/NAME-2, ...

    A folder that was asked for with --out is left as it is; a run that finds another there is refused.
    """
    if config.out is not None:
        return config
    first = folder_of(config)
    if os.environ.get("WANDB_SWEEP_ID") and (agent := os.environ.get("WANDB_RUN_ID")):
        # Agents of a W&B sweep start at the same moment, and would find the same folder free.
        first = first.with_name(f"{first.name}-{agent}")
    numbered = (first.with_name(f"{first.name}-{n}") for n in itertools.count(2))
    return dataclasses.replace(config, out=next(f for f in itertools.chain([first], numbered) if not f.exists()))
