"""Runs the pendulum search in child processes that SIGKILL themselves at given events; called by test_kill.py as a script.

An event is anything that a kill could fall before or after: each call of a stage (writing, proving, planning, rendering, judging), each
simulated instant inside an episode, each half-written clip, and each rename or link by which something is saved.

    python kill_driver.py FOLDER           writes FOLDER/whole (undisturbed) and prints its events, one JSON list
    python kill_driver.py FOLDER 3 17 ...  for each number n writes FOLDER/killed-n: killed at event n, then resumed to the end
    python kill_driver.py FOLDER every 5   one run, killed at every 5th event of each life until it ends by itself

A first word "tuned" before FOLDER makes it a search that also tunes weights, "raced" one that races its programs
and runs further seeds where a decision is near.
"""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import sys
from pathlib import Path

from movlr_jax.runs import race_config
from movlr_jax.runs.config import RunConfig
from movlr_jax.runs.race_config import RaceConfig
from movlr_jax.runs.run_folder import RunFolder
from movlr_jax.runs.tune_config import InnerTune
from movlr_jax.searches.loop import Loop
from movlr_jax.tracking import LocalTracker
from support.pendulum_stages import PendulumStages

CONFIG = RunConfig(task="pendulum", iterations=3, candidates=2, seeds=(0, 1), seed=5, stagnation=2, race=race_config.OFF)
RACED = RaceConfig(seconds=0.12, margin=0.03, extra_seeds=2)
if sys.argv[1] == "tuned":
    import optuna  # once, not in every life

    assert optuna
    CONFIG = dataclasses.replace(CONFIG, iterations=2, tune=InnerTune(3, "tpe"))
if sys.argv[1] == "raced":
    CONFIG = dataclasses.replace(CONFIG, iterations=2, seeds=(0, 1, 2), race=RACED)


class Death:
    """Counts events, and kills this process at the n-th."""

    def __init__(self, at: int | None):
        self.at, self.events = at, []

    def event(self, label: str) -> None:
        self.events.append(label)
        if self.at is not None and len(self.events) > self.at:
            os.kill(os.getpid(), signal.SIGKILL)


class Mortal(PendulumStages):
    """The pendulum's stages, an event before and after each."""

    def __init__(self, death: Death):
        super().__init__()
        self.death = death

    def _episode(self, reward, seed, advanced, **more):
        def told(seconds):
            self.death.event("planning")
            advanced(seconds)

        return super()._episode(reward, seed, told, **more)

    def film(self, rollout, path):
        path.write_bytes(b"half a clip")
        self.death.event("rendering half")
        super().film(rollout, path)


def _marked(name, inner):
    def stage(self, *arguments):
        self.death.event(f"before {name}")
        result = inner(self, *arguments)
        self.death.event(f"after {name}")
        return result

    return stage


_MOVING = ("move", "begin", "go_on", "cut")
for _name in ("start", "write", "prove", *_MOVING, "measure", "describe", "film", "critique", "compare", "illustrate"):
    setattr(Mortal, _name, _marked(_name, getattr(Mortal, _name)))


def live(folder: Path, at: int | None) -> list[str]:
    """Start or resume the run; return the events of a life that reached the run's end."""
    death = Death(at)
    replace = Path.replace

    def mortal_replace(self, target):
        death.event(f"before saving {Path(target).name}")
        done = replace(self, target)
        death.event(f"after saving {Path(target).name}")
        return done

    Path.replace = mortal_replace
    if (folder / "run.json").exists():
        run = RunFolder(folder, CONFIG.seeds)
    else:
        run = RunFolder.create(folder, CONFIG.to_yaml(), {"seed": CONFIG.seed}, CONFIG.seeds)
    with run.locked():
        Loop(run, CONFIG, Mortal(death), (LocalTracker(folder),), header={"task": "pendulum"}).run()
    return death.events


def life(folder: Path, at: int | None) -> bool:
    """Live in a child process; return whether it was killed."""
    child = os.fork()
    if child == 0:
        try:
            live(folder, at)
            os._exit(0)
        except BaseException as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
            os._exit(1)
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status):
        return True
    assert os.waitstatus_to_exitcode(status) == 0, f"a life in {folder} failed"
    return False


def main(folder: Path, words: list[str]) -> None:
    if not words:
        print(json.dumps(live(folder / "whole", None)))
    elif words[0] == "every":
        deaths = 0
        while life(folder / "hounded", int(words[1])):
            deaths += 1
            assert deaths < 1000, "no life gets any further than the one before"
        print(deaths)
    else:
        for at in map(int, words):
            assert life(folder / f"killed-{at}", at), f"event {at} was not reached"
            assert not life(folder / f"killed-{at}", None)


if __name__ == "__main__":
    # A kill is not a power cut: what a process wrote stays, flushed or not, and flushing is most of this search's time.
    os.fsync = lambda descriptor: None
    given = sys.argv[2:] if sys.argv[1] in ("tuned", "raced") else sys.argv[1:]
    main(Path(given[0]), given[1:])
