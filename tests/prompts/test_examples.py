"""The programs that writers are shown: each is compiled and passes the checks of the sandbox on the bodies that it may be shown for."""

from __future__ import annotations

import re
import textwrap

import pytest
from support.sandbox_programs import OpenProver

from movlr_jax import tasks
from movlr_jax.prompts import prompt
from movlr_jax.rewards.features import feature_layout
from movlr_jax.sandbox import behaviour_motions
from movlr_jax.sandbox.proof import explain
from movlr_jax.sandbox.prove import Prover

BLOCKS = prompt.load("write").blocks
EXAMPLES = re.findall(r"```python\n(.*?)```", BLOCKS["examples"], re.DOTALL)
FIRST = textwrap.dedent("    WEIGHTS" + BLOCKS["system"].split("    WEIGHTS", 1)[1].split("\n\n`terms`", 1)[0]) + "\n"
POSED = textwrap.dedent("    JOINTS" + BLOCKS["system"].split("    JOINTS", 1)[1].split("\n\nJOINTS are", 1)[0]) + "\n"


def test_there_are_a_few_short_ones():
    assert len(EXAMPLES) == 3 and all(len(text.splitlines()) <= 15 for text in EXAMPLES)


def test_they_are_proven_in_a_jail_on_the_default_body(myolegs, layout):
    task = tasks.TASKS["walk_flat"]
    with Prover(layout, behaviour_motions.generate(myolegs, task.goal_speed)) as prover:
        for text in (*EXAMPLES, FIRST, f"{FIRST}\n\n{POSED}"):
            proof = prover.prove(text, "an example")
            assert proof.trusted, explain(proof.verdict, text)


@pytest.mark.models("ostrich/ostrich.xml")
def test_they_are_proven_on_a_bird():
    task = tasks.TASKS["ostrich_walk"]
    body = task.load()
    with OpenProver(feature_layout(body), behaviour_motions.generate(body, task.goal_speed), spare=False) as prover:
        for text in EXAMPLES:
            proof = prover.prove(text, "an example")
            assert proof.trusted, explain(proof.verdict, text)
