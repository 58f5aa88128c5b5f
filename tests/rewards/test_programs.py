"""The package's reward programs: each is a task's, known by its hash, read and never imported, and proven on the bodies it is for."""

from __future__ import annotations

import ast
import sys

import pytest
from support.sandbox_programs import OpenProver

from movlr_jax import tasks
from movlr_jax.rewards import packaged
from movlr_jax.rewards.features import feature_layout
from movlr_jax.sandbox import behaviour_motions
from movlr_jax.sandbox.proof import explain

USED = {text: (task, name) for task in reversed(list(tasks.TASKS.values())) for name, text in task.rewards.items()}


def _marks(name: str) -> tuple[pytest.MarkDecorator, ...]:
    task, _ = USED[packaged.text(name)]
    if not task.morphologies:
        return ()
    return (pytest.mark.models("ostrich/ostrich.xml" if "ostrich" in task.morphologies else "ms_human_700/scene.xml"),)


def test_every_program_is_a_task_s_and_known_by_its_hash():
    own = {packaged.text(name) for name in packaged.names()}
    assert own == set(USED) and len(own) == len(packaged.names()) == len(packaged._OWN)
    assert all(packaged.is_own(text) for text in own)
    assert not packaged.is_own(packaged.text("walk_human").replace("100.0", "100.1"))


def test_a_program_is_its_file_without_what_it_says_to_people():
    for name in packaged.names():
        tree = ast.parse((packaged._FOLDER / f"{name}.py").read_text())
        assert ast.get_docstring(tree), f"{name} does not say what it is"
        assert packaged.text(name).startswith("WEIGHTS = {\n") and ast.get_docstring(ast.parse(packaged.text(name))) is None
        assert ast.dump(ast.parse(packaged.text(name))) == ast.dump(ast.Module(tree.body[1:], []))
    assert not [module for module in sys.modules if module.startswith("movlr_jax.rewards.programs")]


@pytest.mark.parametrize("name", [pytest.param(name, marks=_marks(name)) for name in packaged.names()])
def test_it_is_proven_on_the_body_that_it_is_for(name):
    text = packaged.text(name)
    task, reward = USED[text]
    body = task.load()
    with OpenProver(feature_layout(body), behaviour_motions.generate(body, task.goal_speed), spare=False) as prover:
        proof = prover.prove(text, reward)
    assert proof.trusted, explain(proof.verdict, text)
