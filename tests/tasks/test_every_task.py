"""Every registered task builds, starts, plans, is measured and filmed."""

import dataclasses

import numpy as np
import pytest

from movlr_jax import tasks
from movlr_jax.control.episode import EpisodeRunner
from movlr_jax.control.planners import MPPI
from movlr_jax.errors import MovlrError
from movlr_jax.evaluation import filming
from movlr_jax.rewards.features import feature_layout
from movlr_jax.rewards.reward import Reward
from movlr_jax.tasks import metrics

TINY = MPPI(candidates=8, elites=2, instant=2, horizon=0.08, replan=0.02)


@pytest.mark.gl
@pytest.mark.parametrize("task", tasks.TASKS.values(), ids=lambda task: task.name)
def test_it_moves_and_is_filmed(task, tmp_path):
    try:
        body = task.load()
    except MovlrError as missing:
        pytest.skip(str(missing))
    assert task.sentence.endswith(".") and {"start", "human"} <= set(task.rewards) and set(task.notes) == set(task.rewards)
    layout = feature_layout(body)
    starts = [task.start(body, seed) for seed in (0, 0, 1)]
    assert np.array_equal(starts[0].qpos, starts[1].qpos) and not np.array_equal(starts[0].qpos, starts[2].qpos)
    runner = EpisodeRunner.build(body, TINY, "native", threads=2)
    reward = Reward.trusted("human", task.rewards["human"], layout)
    rollout = task.episode(runner, reward, 0, seconds=0.06)
    assert rollout.ended == "time" and len(rollout.time) == 3 and np.isfinite(rollout.instants).all()
    record = task.measure(body, rollout)
    assert record[task.metric] is not None
    gates = dataclasses.replace(task, seconds=0.06).gates(metrics.summarize([record]))
    assert not gates.diverged and (gates.moved is not None) == task.walks
    filming.film(body, rollout, tmp_path / "clip.mp4", task.name)
    assert (tmp_path / "clip.mp4").stat().st_size > 1000
