import numpy as np
import pytest
from support.iteration_records import attempt

from movlr_jax.errors import MovlrError
from movlr_jax.writers.base import WriteRequest
from movlr_jax.writers.tuner_writer import TunerWriter

SOURCE = 'WEIGHTS = {"a": 4.0, "b": 100.0, "off": 0.0}\n\n\ndef terms(m):\n    return {"a": m.time, "b": -m.time, "off": m.dt}\n'


def request(**changes: object) -> WriteRequest:
    given = {"goal": "kneel", "vocabulary": "", "best_source": SOURCE, "best_weights": {"a": 4.0, "b": 100.0, "off": 0.0}, "seed": 5}
    return WriteRequest(**(given | changes))  # type: ignore[arg-type]


def weights(source: str) -> dict[str, float]:
    scope: dict[str, dict[str, float]] = {}
    exec(source.split("def terms")[0], scope)
    return scope["WEIGHTS"]


def test_every_weight_moves_and_the_terms_stay() -> None:
    draft = TunerWriter().write(request())
    found = weights(draft.source)
    assert list(found) == ["a", "b", "off"] and found["off"] == 0.0
    assert found["a"] != 4.0 and found["b"] != 100.0
    assert draft.source.split("def terms")[1] == SOURCE.split("def terms")[1]
    assert found["a"] * found["b"] == pytest.approx(400.0, rel=1e-3)


def test_the_same_request_gives_the_same_weights_and_another_candidate_others() -> None:
    assert TunerWriter().write(request()) == TunerWriter().write(request())
    assert TunerWriter().write(request(candidate=1)).source != TunerWriter().write(request()).source
    assert TunerWriter().write(request(refusal="no", attempt=1)).source != TunerWriter().write(request()).source


def test_success_widens_the_step_and_failures_narrow_it_to_bounds() -> None:
    step = TunerWriter.step
    first = step(request())
    assert step(request(history=(attempt(True),))) > first > step(request(history=(attempt(),)))
    one_in_five = (attempt(True), *(attempt(),) * 4)
    assert step(request(history=one_in_five)) == pytest.approx(first)
    assert step(request(history=(attempt(),) * 100)) == 0.05
    assert step(request(history=(attempt(True),) * 100)) == 1.5


def test_it_finds_the_weights_that_a_judge_prefers() -> None:
    best, history = {"a": 4.0, "b": 100.0, "off": 0.0}, []

    def far(w: dict[str, float]) -> float:
        return abs(np.log(w["b"] / w["a"]))  # the judge wants equal weights

    source, before = SOURCE, far(best)
    for iteration in range(40):
        draft = TunerWriter().write(request(best_source=source, best_weights=best, history=tuple(history), iteration=iteration))
        found = weights(draft.source)
        kept = far(found) < far(best)
        history.append(attempt(bool(kept)))
        if kept:
            best, source = found, draft.source
    assert far(best) < 0.1 * before


def test_a_single_weight_cannot_be_tuned() -> None:
    with pytest.raises(MovlrError, match="two or more"):
        TunerWriter().write(request(best_weights={"a": 1.0}))
