"""Reward transfer from MPC2 to PPO: the very same reward artifact plans a motion, and trains a policy.

    python experiments/transfer_to_rl.py --small                  # a few updates, to see that it runs
    python experiments/transfer_to_rl.py                          # on a GPU: walking, and bottle pouring with the DynSyn grouping
    python experiments/transfer_to_rl.py --tasks bottle_pour --rewards start human runs/bottle_pour-0
    python experiments/transfer_to_rl.py --distil                 # policies start from the motions that MPC2 planned with the reward

For every task and reward: MPC2's episodes and those of the policy, on the same seeds, in C. Writes transfer_to_rl.md, .json and .png, and
each training in a folder of its own, which the same command goes on with.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import bench

from movlr_jax import atomic, typed_yaml
from movlr_jax.control.episode import EpisodeRunner
from movlr_jax.control.planners import MPPI
from movlr_jax.learning.rl import training, training_folder
from movlr_jax.learning.rl.config import DistilConfig, PpoConfig, TrainConfig
from movlr_jax.learning.rl.policy import mean_reward
from movlr_jax.media import tables
from movlr_jax.tasks import get, metrics

TASKS = ("walk_flat", "bottle_pour")
# MyoLegs learns muscle by muscle; the hand by groups of muscles, as the reference does (MoVLR, arXiv 2512.23077, with DynSyn).
ACTIONS = {"bottle_pour": "groups"}
FULL = TrainConfig(steps=50_000_000, worlds=2048, ppo=PpoConfig(unroll=20, minibatches=16))
SMALL = TrainConfig(steps=128, worlds=8, seconds=0.4, starts=4, eval_seeds=(1000,), clip_every=0, ppo=PpoConfig(unroll=8, minibatches=2))
SMALL_PLANNER = dataclasses.replace(MPPI().with_candidates(16), horizon=0.1)


def configured(asked: argparse.Namespace, task: str, reward: str, rollouts: tuple[str, ...]) -> TrainConfig:
    """Return the training of a reward on a task; its folder is named by all that decides it."""
    base = SMALL if asked.small else FULL
    base = base if asked.steps is None else dataclasses.replace(base, steps=asked.steps)
    base = base if asked.worlds is None else dataclasses.replace(base, worlds=asked.worlds)
    distil = DistilConfig(rollouts=rollouts, updates=50 if asked.small else 2000)
    config = dataclasses.replace(
        base,
        task=task,
        reward=reward,
        morphology=asked.morphology,
        engine=asked.engine,
        actions=ACTIONS.get(task, "muscles"),
        seed=asked.seed,
        distil=distil,
    )
    told = json.dumps(atomic.plain(dataclasses.asdict(config)), sort_keys=True)
    digest = hashlib.sha256(told.encode()).hexdigest()[:8]
    return dataclasses.replace(config, out=asked.out / "trainings" / f"{task}-{Path(reward).name}-{digest}")


def trained(config: TrainConfig) -> Path:
    """Return the folder of a training that is done; what is missing of it is trained."""
    assert config.out is not None
    if not (config.out / "run.json").exists():
        folder, asked = training_folder.create(config)
    else:
        folder, asked = config.out, training_folder.of_folder(config.out)
    bench.say(f"Training: {folder}")
    if not training.run(folder, asked, _advanced, bench.say):
        raise bench.Stopped("Interrupted: the training is saved; the same command goes on.")
    return folder


def _advanced(update: int, scalars: dict[str, float]) -> None:
    if update % 10 == 0:
        bench.say(f"update {update}: reward {scalars['reward']:.3g}, {scalars['steps_per_s']:.3g} steps/s")


def compared(asked: argparse.Namespace, task_name: str, reward: str) -> dict[str, Any]:
    """Plan with a reward, train with it, and return both means."""
    task = get(task_name)
    config = configured(asked, task_name, reward, ())
    setup = training_folder.setup_of(dataclasses.replace(config, actions="muscles"), reward)
    size = "small" if asked.small else "full"
    place = asked.out / "planned" / f"{task_name}-{setup.morphology.name}-{Path(reward).name}-{size}"
    seeds, seconds = config.eval_seeds, setup.seconds
    if not (place / "metrics.json").exists():
        planner = task.settled(SMALL_PLANNER if asked.small else MPPI(), setup.morphology)
        runner = EpisodeRunner.build(setup.morphology, planner, "native", threads=asked.threads)
        rollouts = task.episodes(runner, [(setup.reward, seed) for seed in seeds], seconds=seconds)
        for rollout in rollouts:
            atomic.write_npz(place / f"rollout_{rollout.seed}.npz", rollout.arrays())
        records = [task.measure(setup.morphology, r) | {"mean_reward": mean_reward(r)} for r in rollouts]
        atomic.write_json(place / "metrics.json", metrics.summarize(records))
    if asked.distil:
        config = configured(asked, task_name, reward, (str(place),))
    folder = trained(config)
    evaluations = sorted((folder / "evaluations").glob("*/metrics.json"))
    curve = [atomic.read_json(file) for file in evaluations]
    steps = [int(file.parent.name) * config.worlds * config.ppo.unroll for file in evaluations]
    return {
        "task": task_name,
        "morphology": setup.morphology.name,
        "reward": reward,
        "actions": config.actions,
        "steps": steps[-1],
        "metric": task.metric,
        "MPC2": atomic.read_json(place / "metrics.json"),
        "untrained": curve[0],
        "PPO": curve[-1],
        "curve": [
            {"steps": s, "mean_reward": c["mean"]["mean_reward"], task.metric: c["mean"][task.metric]}
            for s, c in zip(steps, curve, strict=True)
        ],
        "folder": str(folder),
        "config": typed_yaml.dump(config),
    }


def draw(rows: Sequence[dict[str, Any]], path: Path) -> None:
    """Draw the learning curves, with MPC2's mean as a line."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, len(rows), figsize=(4.2 * len(rows), 3.2), squeeze=False, layout="constrained")
    for axis, row in zip(axes[0], rows, strict=True):
        axis.plot([p["steps"] for p in row["curve"]], [p["mean_reward"] for p in row["curve"]], marker="o", markersize=3, label="PPO")
        axis.axhline(row["MPC2"]["mean"]["mean_reward"], color="0.4", linestyle="--", label="MPC2")
        axis.set(title=f"{row['task']}, {Path(row['reward']).name}", xlabel="control steps", ylabel="mean reward")
        axis.legend(frameon=False)
    with atomic.replacing(path) as partial:
        figure.savefig(partial, dpi=150)
    plt.close(figure)


def main(argv: Sequence[str] | None = None) -> int:
    made = argparse.ArgumentParser(prog="transfer_to_rl.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--small", action="store_true", help="a few updates of a few worlds")
    made.add_argument("--tasks", nargs="+", default=list(TASKS), metavar="TASK")
    made.add_argument("--rewards", nargs="+", default=["human"], metavar="R", help="named rewards, reward files or runs' folders")
    made.add_argument("--morphology", default="", metavar="BODY", help="the body; each task's own by default")
    made.add_argument("--engine", default="warp", help="warp or jax")
    made.add_argument("--steps", type=int, help="control steps of each training")
    made.add_argument("--worlds", type=int, help="worlds of each training")
    made.add_argument("--seed", type=int, default=0)
    made.add_argument("--threads", type=int, default=0, help="threads of MPC2's engine, native; 0: one a core")
    made.add_argument("--distil", action="store_true", help="start policies from the motions that MPC2 planned")
    made.add_argument("--out", type=Path, default=Path("runs") / "transfer_to_rl", help="folder for trainings, table and figure")
    asked = made.parse_args(argv)
    rows = [compared(asked, task, reward) for task in asked.tasks for reward in asked.rewards]
    columns = ["task", "reward", "actions", "steps", "metric", "mover", "value", "mean reward", "falls"]
    cells = []
    for row in rows:
        for mover in ("MPC2", "untrained", "PPO"):
            mean, metric = row[mover]["mean"], row["metric"]
            values = [tables.number(mean[metric], ".3g"), tables.number(mean["mean_reward"], ".4g"), str(row[mover]["falls"])]
            cells.append([row["task"], row["reward"], row["actions"], str(row["steps"]), metric, mover, *values])
    atomic.write_text(asked.out / "transfer_to_rl.md", f"# The same reward in MPC2 and in PPO\n\n{tables.markdown(columns, cells)}")
    atomic.write_json(asked.out / "transfer_to_rl.json", {"rows": rows})
    draw(rows, asked.out / "transfer_to_rl.png")
    bench.show(asked, (columns, cells), (), "transfer_to_rl.md", "transfer_to_rl.json", "transfer_to_rl.png")
    return 0


if __name__ == "__main__":
    bench.run(main)
