"""`movlr check FILE`: puts a reward file through the whole sandbox and explains the verdict.

In: a file that nobody trusts. Out: the verdict on stdout; the exit code is 0 only if the reward is trusted, 1 if it is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from movlr_jax.cli import console, options
from movlr_jax.errors import MovlrError

if TYPE_CHECKING:
    from movlr_jax.morphologies import Morphology
    from movlr_jax.rewards.reward import Reward
    from movlr_jax.sandbox.prove import Proof

REFUSED = 1


@dataclass(frozen=True)
class Options:
    """Put a reward file through the sandbox and explain the verdict; exit with 0 only if it is trusted."""

    file: Annotated[Path, tyro.conf.Positional]
    """The reward file."""
    task: str = "walk_flat"
    """The task whose goal speed the reward is tried at: a name from `movlr tasks`."""
    morphology: str = ""
    """The body it is for: a name from `movlr morphologies`, or the YAML file of your own; the embedded one if left out."""
    json: bool = False
    """Print the verdict as JSON, as in verdict.json."""


def read(file: Path) -> str:
    """Return the text of a reward file.

    Raises:
        MovlrError: there is no such file, or it is not text.
    """
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise MovlrError(f"{file} is not UTF-8 text: a reward is a plain Python file.") from None
    except IsADirectoryError:
        raise MovlrError(f"{file} is a folder: name a reward file, for example {file / 'best' / 'reward.py'}.") from None
    except OSError as error:
        raise MovlrError(f"{file} cannot be read ({error.strerror}): name a reward file.") from None


def prove(source: str, name: str, morphology: Morphology, goal_speed: float) -> Proof:
    """Put a text through all gates for one body.

    Args:
        source: the text.
        name: for people.
        morphology: the body.
        goal_speed: what `m.goal.speed` says in the behaviour checks [m/s].
    """
    from movlr_jax.rewards.features import feature_layout
    from movlr_jax.sandbox import behaviour
    from movlr_jax.sandbox.prove import Prover

    motions = behaviour.generate(morphology, goal_speed)
    # One text, so no spare jail is kept waiting for a second.
    with Prover(feature_layout(morphology), motions, spare=False) as prover:
        return prover.prove(source, name)


def trusted(file: Path, morphology: Morphology, goal_speed: float) -> Reward:
    """Return the proven reward of a file.

    Raises:
        MovlrError: it cannot be read, or the sandbox refuses it.
    """
    proof = prove(read(file), str(file), morphology, goal_speed)
    if proof.reward is None:
        raise MovlrError(f"{file} is refused. {proof.verdict.reason} (movlr check {file} says more.)")
    return proof.reward


def main(argv: Sequence[str]) -> int:
    """Run the verb."""
    asked = options.parse(Options, argv, "check")
    source = read(asked.file)
    from movlr_jax import morphologies, tasks
    from movlr_jax.sandbox.prove import explain

    task = tasks.get(asked.task)
    morphology = morphologies.load(asked.morphology or morphologies.DEFAULT)
    proof = prove(source, str(asked.file), morphology, task.goal_speed)
    if asked.json:
        console.print_json(proof.verdict.to_json())
    else:
        print(f"{asked.file} for {morphology.name}")
        print(explain(proof.verdict, source))
    return 0 if proof.trusted else REFUSED
