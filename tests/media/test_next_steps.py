"""The commands that a run hands on can be pasted into a shell."""

import shlex

from movlr_jax.media import next_steps


def test_a_folder_with_a_space_stays_one_word():
    words = shlex.split(next_steps.resume("my runs/first", " --iterations 8"))
    assert words == ["movlr", "resume", "my runs/first", "--iterations", "8"]
    (rollout, _), (check, _) = next_steps.with_best("my runs/first", "walk_flat", "myolegs")
    assert shlex.split(rollout)[2:7] == ["walk_flat", "--reward", "my runs/first", "--morphology", "myolegs"]
    assert shlex.split(check)[2:] == ["my runs/first/best/reward.py", "--task", "walk_flat", "--morphology", "myolegs"]


def test_the_tasks_own_body_is_not_named():
    assert all("--morphology" not in command for command, _ in next_steps.with_best("runs/a", "walk_flat", ""))
