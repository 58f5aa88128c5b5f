"""Episode settings have one name, one default and one rule wherever they are given; older files are read as they were meant."""

from __future__ import annotations

import dataclasses

import pytest

from movlr_jax import tasks, typed_yaml
from movlr_jax.cli import ablate, eval, rollout, transfer, tune
from movlr_jax.control.episode_config import Conditions, EpisodeConfig, EpisodeSettings
from movlr_jax.errors import MovlrError
from movlr_jax.learning.rl.config import TrainConfig
from movlr_jax.runs.config import RunConfig

EXTENDED = (EpisodeConfig, RunConfig, rollout.Options, eval.Options, transfer.Options, tune.Options, ablate.Options)


@pytest.mark.parametrize("record", EXTENDED)
def test_records_that_extend_the_settings_define_none_of_them_again(record: type) -> None:
    own = {field.name: field.default for field in dataclasses.fields(EpisodeSettings)}
    found = {field.name: field.default for field in dataclasses.fields(record) if field.name in own}
    more = {"seeds": (0, 1, 2)} if record is ablate.Options else {}  # which compares, and needs more than one
    assert found == own | more


@pytest.mark.parametrize("record", [RunConfig, TrainConfig])
def test_a_file_of_an_earlier_version_means_what_it_meant(record: type) -> None:
    old = "seconds: 0.0\ngoal_speed: -1.0\nmorphology: ''\n" + ("goal: ''\n" if record is RunConfig else "")
    read = typed_yaml.parse(old, record)
    assert (read.seconds, read.goal_speed, read.morphology, read.goal) == (None, None, None, None)  # type: ignore[attr-defined]
    kept = typed_yaml.parse("seconds: 2\ngoal_speed: 0\nmorphology: ostrich\n", record)
    assert (kept.seconds, kept.goal_speed, kept.morphology) == (2.0, 0.0, "ostrich")  # type: ignore[attr-defined]
    assert typed_yaml.parse(typed_yaml.dump(read), record) == read


@pytest.mark.parametrize(
    ("changed", "part"),
    [
        ({"seconds": 0.0}, "seconds is 0: give more than 0"),
        ({"seconds": float("nan")}, "seconds is nan"),
        ({"goal_speed": -1.0}, "goal_speed is -1: give 0 or more"),
        ({"goal_speed": float("inf")}, "goal_speed is inf"),
    ],
)
@pytest.mark.parametrize("record", [Conditions, EpisodeSettings, RunConfig])
def test_what_no_episode_can_have_is_refused(record: type, changed: dict[str, float], part: str) -> None:
    with pytest.raises(MovlrError, match=part):
        record(**changed)


def test_settings_are_a_records_own_alone() -> None:
    config = RunConfig(task="stand", seconds=2.0, seeds=(3, 4))
    assert type(config.settings()) is EpisodeSettings and config.settings() == EpisodeSettings(seconds=2.0, seeds=(3, 4))


def test_a_task_is_configured_once() -> None:
    task = tasks.get("walk_flat")
    assert task.configured() == task
    made = task.configured("walk backwards slowly", 2.0, 0.0)
    assert (made.sentence, made.seconds, made.goal_speed, made.spoken) == ("walk backwards slowly", 2.0, 0.0, True)
