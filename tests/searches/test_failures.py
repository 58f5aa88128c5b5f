"""Named failures: stagnation, collapse, drift."""

from __future__ import annotations

from movlr_jax.critics.critique import Critique
from movlr_jax.facts import Term
from movlr_jax.searches import failures


def term(weight: float, std: float) -> Term:
    return Term(weight=weight, mean=0.0, std=std)


def names(found: list[dict]) -> list[str]:
    return [f.name for f in found]


def test_changes_name_what_an_edit_did():
    before, after = {"a": 1.0, "b": 2.0, "c": -3.0, "d": 1.0}, {"a": 2.0, "c": -1.0, "d": 1.0, "e": 4.0}
    assert failures.changes(before, after) == {"a": "raised", "b": "removed", "c": "lowered", "e": "added"}
    told = failures.changes(before, after, {"a", "d", "e"})
    assert told == {"a": "rewritten", "b": "removed", "c": "lowered", "d": "rewritten", "e": "added"}


def test_stagnation_is_named_once_a_stretch():
    assert [names(failures.stagnation(n, n, 3)) for n in range(6)] == [[], [], [], ["stagnation"], [], []]


def test_collapse_is_one_term_over_95_percent_or_all_flat():
    assert names(failures.collapse(1, {"a": term(100.0, 1.0), "b": term(1.0, 1.0)})) == ["collapse"]
    assert names(failures.collapse(1, {"a": term(94.0, 1.0), "b": term(6.0, 1.0)})) == []
    assert names(failures.collapse(1, {"a": term(5.0, 0.0), "b": term(1.0, 0.0)})) == ["collapse"]
    assert names(failures.collapse(0, {"a": term(10.0, 1.0)})) == []  # alone is not collapsed
    assert names(failures.collapse(0, {"a": term(10.0, 0.0)})) == ["collapse"]  # but may be flat
    assert failures.collapse(0, {}) == []


def test_collapse_is_judged_by_what_decides_where_that_is_known():
    def told(name: str, std: float, share: float | None) -> Term:
        return term(1.0, std).model_copy(update={"share_among_candidates": share})

    even = {"a": told("a", 99.0, 0.5), "b": told("b", 1.0, 0.5)}  # a fall blew one up over time
    assert failures.collapse(1, even) == []
    loud = failures.collapse(1, {"a": told("a", 1.0, 0.97), "b": told("b", 1.0, 0.03)})
    assert names(loud) == ["collapse"] and "97 % of the reward's spread among candidates" in loud[0].sentence
    earlier = failures.collapse(1, {"a": told("a", 99.0, None), "b": told("b", 1.0, None)})
    assert "99 % of the reward's spread over time" in earlier[0].sentence


def test_drift_is_an_edit_or_a_critique_that_undoes_the_last_edit():
    quiet = {"edit": {}, "parent": 2, "parent_edit": {}, "kept": True, "suggested_changes": {}}
    assert failures.drift(3, **quiet) == []
    assert names(failures.drift(3, **{**quiet, "edit": {"a": "removed"}, "parent_edit": {"a": "added"}})) == ["drift"]
    assert names(failures.drift(3, **{**quiet, "edit": {"a": "lowered"}, "parent_edit": {"a": "raised"}})) == ["drift"]
    # A weight that is fitted to a new term, and another formula, undo nothing.
    for first, second in (("added", "lowered"), ("added", "rewritten"), ("rewritten", "lowered"), ("raised", "rewritten")):
        assert failures.drift(3, **{**quiet, "edit": {"a": second}, "parent_edit": {"a": first}}) == []
    assert failures.drift(3, **{**quiet, "edit": {"a": "raised"}, "parent_edit": {"a": "added"}}) == []
    assert names(failures.drift(3, **{**quiet, "edit": {"a": "raised"}, "suggested_changes": {"a": "lowered"}})) == ["drift"]
    assert failures.drift(3, **{**quiet, "edit": {"a": "raised"}, "suggested_changes": {"a": "lowered"}, "kept": False}) == []


def test_suggestions_are_read_against_the_weights():
    critique = {
        "success": False,
        "summary": "",
        "suggestions": [
            {"action": "reweigh", "term": "a", "weight": 5.0, "words": ""},
            {"action": "remove", "term": "b", "weight": None, "words": ""},
            {"action": "add", "term": "new", "weight": 1.0, "words": ""},
            {"action": "reweigh", "term": "c", "weight": None, "words": ""},
        ],
    }
    assert failures.suggested(Critique.model_validate(critique), {"a": 10.0, "b": 1.0, "c": 1.0}) == {"a": "lowered", "b": "removed"}
