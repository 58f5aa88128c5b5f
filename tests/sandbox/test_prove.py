"""The Prover end to end through real jails: cost, cleanliness, verdicts, and the way back from a folder."""

import json
import os
import time
from pathlib import Path

import numpy as np
import pytest
from support.sandbox_programs import honest

from movlr_jax import tasks
from movlr_jax.errors import MovlrError
from movlr_jax.evaluation import reward_texts
from movlr_jax.rewards import library
from movlr_jax.sandbox import inspect, workbench
from movlr_jax.sandbox.proof import explain
from movlr_jax.sandbox.prove import Prover
from movlr_jax.writers import edits, proposals

SOURCE = tasks.get("stand").rewards["human"]


@pytest.fixture(scope="module")
def prover(layout, motions):
    with Prover(layout, motions) as prover:
        yield prover


@pytest.fixture(scope="module")
def proof(prover):
    return prover.prove(SOURCE, "stand")


def write(folder: Path, proof, source=SOURCE) -> Path:
    folder.mkdir()
    (folder / "reward.py").write_text(source, encoding="utf-8")
    (folder / "reward.stablehlo").write_bytes(proof.reward.artifact)
    (folder / "verdict.json").write_text(json.dumps(proof.verdict.to_json()), encoding="utf-8")
    return folder


def test_a_proven_reward_works(prover, proof, motions):
    assert proof.trusted, explain(proof.verdict, SOURCE)
    features = motions.features["settled standing"]
    assert proof.reward.terms(features).shape == (len(features), len(proof.verdict.term_names))
    record = json.loads(json.dumps(proof.verdict.to_json()))
    assert record["trusted"] is True and record["stage"] == "behaviour"
    assert record["layers"] == prover.layers() and record["layers"]["seccomp"] == "active"
    assert {"static", "jail", "inspection", "behaviour"} <= set(record["seconds"])
    assert "Trusted" in explain(proof.verdict, SOURCE) and "layers active" in explain(proof.verdict, SOURCE)


def test_the_same_text_gives_the_same_artifact(prover, proof):
    assert prover.prove(SOURCE, "again").reward.artifact == proof.reward.artifact


def test_edits_that_bring_parameters_are_proven_and_another_value_compiles_nothing(prover, layout):
    clocked = [term for term in library.for_layout(layout).values() if "stride_period" in term.parameters]
    source = edits.apply(SOURCE, [proposals.added(term, term.weight) for term in clocked])
    proof = prover.prove(source, "clocked")
    assert len(clocked) == 5 and proof.trusted, explain(proof.verdict, source)
    assert list(proof.verdict.parameters) == list(library.parameters_of(clocked))
    assert not [warning for warning in proof.verdict.warnings if "changes nothing" in warning]
    moved = prover.prove(edits.set_parameter(source, "stride_period", 1.3), "moved").reward
    assert moved.artifact == proof.reward.artifact and moved._compiled is proof.reward._compiled
    assert moved.parameter_of() == proof.reward.parameter_of() | {"stride_period": 1.3}


def test_a_refusal_names_line_and_cure(prover):
    source = SOURCE.replace("return {", 'x = m.joint("tail").angle\n    return {', 1)
    verdict = prover.prove(source).verdict
    assert not verdict.trusted and verdict.stage == "jail" and "has no joint 'tail'" in verdict.reason
    line = source.splitlines().index('    x = m.joint("tail").angle') + 1
    assert verdict.line == line and verdict.reason.startswith(f"Line {line}: ")
    told = explain(verdict, source)
    assert f"{line} |     x = m.joint" in told and "Refused by the jail check." in told


def test_a_static_refusal_needs_no_jail(layout, motions):
    with Prover(layout, motions, spare=False) as prover:
        started = time.monotonic()
        verdict = prover.prove("import os\n").verdict
        assert verdict.stage == "static" and not verdict.layers and time.monotonic() - started < 0.5


def test_without_motions_the_verdict_says_so(layout):
    from support.sandbox_programs import OpenProver

    proof = OpenProver(layout, spare=False).prove(SOURCE)
    assert proof.trusted and "not checked" in proof.verdict.checks["behaviour"] and proof.verdict.warnings


def test_interrupted_it_leaves_nothing(layout):
    with pytest.raises(KeyboardInterrupt), Prover(layout) as prover:
        first = prover._spare
        assert first is not None
        raise KeyboardInterrupt
    assert not first.alive
    assert not Path(f"/proc/{first.pid}").exists()
    with pytest.raises(MovlrError, match="closed"):
        prover.prove(SOURCE)
    prover.close()


def test_a_dead_spare_is_replaced(layout):
    with Prover(layout) as prover:
        os.kill(prover._spare.pid, 15)
        while prover._spare.alive:
            time.sleep(0.01)
        assert prover.prove(SOURCE).trusted


@pytest.mark.models("ms_human_700/scene.xml")
def test_a_text_is_proven_for_all_700_muscles():
    task = tasks.get("walk_flat")
    body = task.load("ms-human-700")
    proof = reward_texts.prove(task.rewards["stride"], "stride", body, task.goal_speed)
    assert proof.trusted, explain(proof.verdict, task.rewards["stride"])
    assert proof.reward.terms(np.zeros((1, 5046), np.float32)).shape == (1, len(proof.verdict.term_names))


@pytest.mark.parametrize(("bound", "said"), [("MAX_COMPILE_S", "Compiling it takes"), ("MAX_RUN_S", "Evaluating it for one plan takes")])
def test_what_takes_too_long_is_refused_in_the_jail(judge, monkeypatch, bound, said):
    """The jail compiles and runs what a plan will; here nothing is fast enough."""
    monkeypatch.setattr(workbench, bound, 0.0)
    verdict = judge.prove(honest()["gait"]).verdict
    assert not verdict.trusted and verdict.stage == "jail"
    assert verdict.reason.startswith(said) and "of processor time, more than 0: use" in verdict.reason


def test_the_jail_hands_over_what_the_prover_would_write(layout):
    """So that what it compiled and timed is what will run; the prover still writes it itself."""
    header, module = workbench.prove(honest()["gait"], layout.to_json(), 64)
    assert header["ok"] and set(header["seconds"]) == {"trace", "compile", "run"}
    assert module in inspect.inspect_module(module, 2 * layout.size, len(header["names"])).artifact


def test_a_nominal_posture_is_proven_with_its_reward(judge, motions):
    source = SOURCE + '\n\nJOINTS = ("knee_angle_l",)\n\n\ndef posture(m):\n    return {"knee_angle_l": jnp.sqrt(GUARDED)}\n'
    proof = judge.prove(source.replace("GUARDED", "jnp.maximum(m.time, 0.0)"))
    assert proof.trusted, explain(proof.verdict, source)
    features = motions.features["settled standing"]
    assert proof.reward.posture_joints == ("knee_angle_l",) and proof.reward.posture(features).shape == (len(features), 1)
    assert proof.reward.terms(features).shape == (len(features), len(proof.verdict.term_names))
    refused = judge.prove(source.replace("GUARDED", "-1.0 - m.time")).verdict
    assert refused.stage == "behaviour" and "The posture of knee_angle_l is not a number" in refused.reason
    assert source.splitlines()[refused.line - 1].startswith('    return {"knee_angle_l"')


def test_parameters_are_proven_over_their_ranges(judge, motions):
    declared = 'PARAMETERS = {"lift": (0.1, RANGE), "idle": (1.0, 0.0, 2.0)}\n'
    own = SOURCE.replace("return {", 'return {\n        "reach": -smooth_abs(m.pelvis.height / m.parameters.lift),', 1)
    source = declared + own.replace("WEIGHTS = {", 'WEIGHTS = {"reach": 0.001, ', 1)
    text = source.replace("RANGE", "0.05, 0.2")
    proof = judge.prove(text)
    assert proof.trusted, explain(proof.verdict, text)
    assert "The parameter idle changes nothing on any motion: it steers nothing." in proof.verdict.warnings
    assert "Parameters: lift 0.1 (0.05 to 0.2), idle 1 (0 to 2)." in explain(proof.verdict, text)
    assert json.loads(json.dumps(proof.verdict.to_json()))["parameters"] == {"lift": [0.1, 0.05, 0.2], "idle": [1.0, 0.0, 2.0]}
    again = judge.prove(text.replace("(0.1, ", "(0.15, "))
    assert again.reward.artifact == proof.reward.artifact and again.reward.parameter_of()["lift"] == 0.15
    features = motions.features["settled standing"]
    moved = proof.reward.with_parameters({"lift": 0.15})
    assert np.array_equal(again.reward.terms(features), moved.terms(features))
    refused = judge.prove(source.replace("RANGE", "0.0, 0.2")).verdict
    assert refused.stage == "behaviour" and "Where lift is 0, the term reach is not finite on a trial motion: narrow" in refused.reason
    assert '"reach": -smooth_abs' in source.splitlines()[refused.line - 1]


def test_the_verdict_of_a_text_without_parameters_says_nothing_of_them(proof):
    assert "parameters" not in proof.verdict.to_json() and "Parameters" not in explain(proof.verdict, SOURCE)
