"""Bodies, tasks and rewards, from names, texts and functions."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from movlr_jax.evaluation import reward_texts
from movlr_jax.evaluation.reward_texts import RewardText
from movlr_jax.morphologies import FLAT, Morphology, catalog
from movlr_jax.morphologies.scene import parse_injuries
from movlr_jax.rewards import reward as rewards
from movlr_jax.tasks import TASKS, Task, find


class Reward(rewards.Reward):
    """A compiled reward with its weights outside; see `movlr_jax.rewards.reward.Reward` for what it can do."""

    @staticmethod
    def from_source(source: str, body: Morphology, *, task: Task | None = None, name: str = "reward") -> Reward:
        """Prove a program's text in the sandbox for one body, and return it compiled: texts of models and of others come in here.

        Args:
            source: WEIGHTS and terms(m), JOINTS and posture(m) where it has a nominal posture, PARAMETERS where it declares constants.
            body: the body.
            task: whose goal its behaviour is checked under; walking on flat ground if left out.
            name: for people.

        Raises:
            MovlrError: the sandbox refuses it; the sentence says why, and on which line.
        """
        task = task or TASKS["walk_flat"]
        return _own(reward_texts.compiled(RewardText(name, source, "a text"), body, task.goal_speed, lying=task.lies))

    @staticmethod
    def from_function(
        terms: Callable[[Any], Mapping[str, Any]],
        weights: Mapping[str, float],
        body: Morphology,
        *,
        name: str = "",
        posture: Callable[[Any], Mapping[str, Any]] | None = None,
        joints: Sequence[str] | None = None,
        parameters: Mapping[str, tuple[float, float, float]] | None = None,
    ) -> Reward:
        """Compile a Python function of your own: it runs in this process, with all its rights.

        Args:
            terms: Motion -> term name -> scalar; jax.numpy and Motion's vocabulary.
            weights: term name -> weight.
            body: the body.
            name: for people; the function's own if left out.
            posture: Motion -> joint -> nominal angle (rad), which target postures move along with; none if left out.
            joints: the planned joints that it is of.
            parameters: name -> (value, lowest, highest) of the constants that the function reads as m.parameters.NAME; none if left out.

        Raises:
            MovlrError: the function breaks the contract, or asks for what the body lacks.
        """
        made = rewards.Reward.from_function(terms, weights, body, name=name, posture=posture, joints=joints, parameters=parameters)
        return _own(made)


def _own(reward: rewards.Reward) -> Reward:
    return Reward(**{field.name: getattr(reward, field.name) for field in dataclasses.fields(reward)})


def load_body(name: str | Path = catalog.DEFAULT, *, injury: Sequence[str] = ()) -> Morphology:
    """Return a body on flat ground; a task prepares it anew for its own.

    Args:
        name: a name of `movlr morphologies`, or the YAML file of your own.
        injury: injured muscles, PATTERN=FRACTION of their strength: ["soleus_*=0.3"].

    Raises:
        MovlrError: there is no such body, its model is not on this machine, or an injury does not suit it.
    """
    return catalog.load(str(name), dataclasses.replace(FLAT, injuries=parse_injuries(injury)))


def load_task(name: str, *, goal: str | None = None, seconds: float | None = None, goal_speed: float | None = None) -> Task:
    """Return a task.

    Args:
        name: a name of `movlr tasks`, or your own: a Python file (my_task.py) or package.module:NAME, whose code is run.
        goal: a sentence of your own, by which episodes are measured.
        seconds: length of its episodes (s).
        goal_speed: speed to aim for (m/s).

    Raises:
        MovlrError: there is no such task.
    """
    return find(name).configured(goal, seconds, goal_speed)
