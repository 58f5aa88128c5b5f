"""Hostile and broken programs are refused with a sentence that names the reason; honest programs of many styles pass."""

import os

import numpy as np
import pytest
from support.sandbox_programs import honest, hostile

from movlr_jax.sandbox.proof import explain
from movlr_jax.sandbox.prove import Prover

HOSTILE, HONEST = hostile(), honest()


def says(reason: str, words: str) -> bool:
    return any(word in reason for word in words.split("|"))


def test_the_corpus_is_wide():
    assert len(HOSTILE) >= 60
    assert len({h.kind for h in HOSTILE}) >= 15
    assert len(HONEST) >= 20


@pytest.mark.parametrize("program", HOSTILE, ids=lambda h: h.id)
def test_hostile_is_refused(judge, program):
    proof = judge.prove(program.source)
    verdict = proof.verdict
    assert not proof.trusted and proof.reward is None
    assert says(verdict.reason, program.words), verdict.reason
    assert verdict.reason.endswith(".") and "\n" not in verdict.reason and verdict.reason.isprintable()
    assert verdict.cure, verdict.reason
    assert verdict.line is not None or verdict.stage == "jail", verdict.reason
    told = explain(verdict, program.source)
    assert all(reason in told for _, _, reason in verdict.faults) if verdict.faults else verdict.reason in told
    if verdict.line is not None:
        assert f"{verdict.line} | " in told and "^" in told


@pytest.mark.parametrize("name", HONEST)
def test_honest_passes(judge, motions, name):
    proof = judge.prove(HONEST[name], name)
    assert proof.trusted, explain(proof.verdict, HONEST[name])
    assert proof.verdict.artifact_sha256 and proof.verdict.operations > 0
    # The compiled reward says what the inspection's own evaluation said.
    from movlr_jax.sandbox import inspect

    features = np.concatenate(list(motions.features.values()))[::4]
    inspected = inspect.inspect_artifact(proof.reward.artifact, features.shape[1], len(proof.reward.term_names))
    np.testing.assert_allclose(inspected.walker.evaluate(features), proof.reward.terms(features), rtol=2e-4, atol=2e-4)


@pytest.mark.slow
@pytest.mark.skipif("MOVLR_TEST_ALL" not in os.environ, reason="takes minutes: a process for each program; set MOVLR_TEST_ALL=1")
def test_all_of_it_through_real_jails(layout, motions):
    with Prover(layout, motions) as prover:
        for program in HOSTILE:
            proof = prover.prove(program.source)
            assert not proof.trusted and says(proof.verdict.reason, program.words), (program.id, proof.verdict.reason)
        for name, source in HONEST.items():
            proof = prover.prove(source, name)
            assert proof.trusted, (name, proof.verdict.reason)
