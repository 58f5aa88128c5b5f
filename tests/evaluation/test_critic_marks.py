"""How answers and critiques are counted: agreement, ties, the order in which two are shown, named faults."""

from types import SimpleNamespace

import pytest
from support.critic_records import fall, walk

from movlr_jax.critics.critique import FAULTS, Critique, Fault
from movlr_jax.evaluation.critic_marks import Marks, Naming, Tally
from movlr_jax.evaluation.critic_trial import Answer, Judged, to_criticise
from movlr_jax.evaluation.known_pairs import KINDS, KnownPair
from movlr_jax.facts import Facts
from movlr_jax.llm.ledger import Spending


def motion(key):
    return SimpleNamespace(key=key, recorded=SimpleNamespace(body="a body"))


def pair(key, kind, better, part="whole body"):
    return KnownPair(key, kind, (motion(f"{key} a"),), (motion(f"{key} b"),), better, part, "", {})


def answer(first, second):
    return Answer(first, second, ("", ""), 0.5)


def test_answers_in_both_orders_come_to_one():
    assert answer("a", "a").settled == "a" and answer("a", "a").position is None
    assert answer("a", "tie").settled == "tie" and answer("a", "tie").position is None
    assert (answer("a", "b").settled, answer("a", "b").position) == ("tie", "first")  # what was shown first, both times
    assert (answer("b", "a").settled, answer("b", "a").position) == ("tie", "second")
    assert answer(None, "a").settled is None and answer(None, "a").position is None


def test_pairs_with_a_better_one_and_pairs_that_tie_are_counted_apart():
    said = [
        (pair("1", "fall", "a"), answer("a", "a")),
        (pair("2", "fall", "b"), answer("a", "b")),
        (pair("3", "fall", "b"), answer("a", "a")),
        (pair("4", "fall", "b"), answer(None, "b")),
        (pair("5", "same", "tie"), answer("tie", "tie")),
        (pair("6", "same", "tie"), answer("a", "b")),
    ]
    tally = Tally.of(said)
    assert (tally.agreement.hits, tally.agreement.of) == (1.5, 3)
    assert (tally.settled.hits, tally.wrong.hits, tally.ties.hits, tally.ties.of) == (1.0, 1.0, 1.0, 2)
    assert (tally.flips.hits, tally.flips.of, tally.first.hits, tally.unanswered) == (2.0, 5, 2.0, 1)
    marks = Marks.of("x", "", [p for p, _ in said], {p.key: a for p, a in said}, None, Spending(), 3.0)
    assert set(marks.kinds) == {"fall", "same"} and set(marks.parts) == {"whole body"}
    assert marks.ordered.ties.of == 0 and marks.tied.agreement.of == 0 and marks.kinds["same"].mark.of == 2
    assert marks.document()["cost"]["seconds"] == 3.0


def fault(kind):
    return Fault(kind=kind, what="", body_part="", severity=0.5, stage="stability")


def critique(*kinds, success=False):
    return Judged(Critique(success=success, summary="", faults=tuple(map(fault, kinds))), "", 0.1)


def test_named_faults_and_false_alarms():
    fell, back, limps = pair("f", "fall", "a"), pair("w", "backward", "a"), pair("l", "limp", "a", "left leg")
    facts = {"f b": fall("forward"), "w b": walk(metrics__distance_m=-2.0), "l b": walk(), "f a": walk()}
    motions = {k: v for k, v in to_criticise([fell, back, limps], 1).items() if k in facts}
    assert [known and known.kind for _, known in motions.values()] == ["fall", None, "backward", "limp"]
    said = {
        "f b": critique("fall_backward"),  # a fall was named; backward is ruled out
        "f a": critique("fall_left", success=True),
        "w b": critique("too_slow", success=True),
        "l b": Judged(None, "refused", 0.1),
    }
    naming = Naming.of(motions, said, lambda m: Facts.read(facts[m.key]))
    assert {k: (s.hits, s.of) for k, s in naming.recall.items()} == {"fall": (1.0, 1), "backward": (0.0, 1), "all": (1.0, 2)}
    assert naming.critiques.hits == 2.0 and naming.critiques.of == 3 and naming.unanswered == 1
    assert (naming.successes.hits, naming.successes.of) == (1.0, 2)  # of those with a grave fault
    alarms = naming.document()["false_alarms"]
    assert set(alarms) == {"fall_backward", "fall_left"} and alarms["fall_left"]["of"] == 2


def test_what_is_criticised_is_both_of_so_many_pairs_a_kind():
    pairs = [pair("1", "fall", "a"), pair("2", "fall", "b"), pair("3", "same", "tie")]
    assert set(to_criticise(pairs, 1)) == {"1 a", "1 b"} and set(to_criticise(pairs, 5)) == {"1 a", "1 b", "2 a", "2 b"}
    assert to_criticise(pairs, 0) == {}
    twice = KnownPair("4", "until_fall", (motion("4 a"),), pairs[0].b, "a", "whole body", "", {})
    assert to_criticise([pairs[0], twice], 5)["1 b"][1].kind == "fall" and "4 a" not in to_criticise([pairs[0], twice], 5)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_says_how_its_order_is_known(kind):
    rule = KINDS[kind]
    assert rule.what and rule.part and rule.why.endswith(".") and all(fault in FAULTS for fault in rule.faults)
