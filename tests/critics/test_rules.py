"""The tables of rules: a rule begins where it says, grows to where it is full, and gives way to the faults it names."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from movlr_jax.critics import body_rules, handling
from movlr_jax.critics.critique import FAULTS
from movlr_jax.critics.rules import Rule, faults

TABLES = (body_rules.STABILITY, body_rules.PROGRESS, body_rules.HOLDING, body_rules.STAYING, body_rules.COORDINATION, handling.RULES)
NARROW = Rule("narrow_stance", lambda m: m.width, 0.06, 0.0, "As close as {value:.2f} m, {m.side}.", "{m.side} foot", "swing")
WIDE = Rule("wide_stance", lambda m: m.width, 0.28, 0.5, "{value:.2f} m apart.", "feet", span=0.4)
SWAY = Rule("sway", lambda m: m.sway, 0.2, 0.5, "It sways.", "trunk", unless=("wide_stance",))


def reading(width: float = 0.2, sway: float | None = None) -> SimpleNamespace:
    return SimpleNamespace(width=width, sway=sway, side="left")


@pytest.mark.parametrize("rule", [rule for table in TABLES for rule in table], ids=lambda rule: rule.kind)
def test_a_rule_of_the_tables_speaks_of_a_known_fault_and_ends_within_the_scale(rule):
    assert rule.kind in FAULTS and all(kind in FAULTS for kind in rule.unless)
    assert not rule.broken(rule.begins) and rule.broken(rule.full)
    assert 0.0 <= rule.least <= rule.least + rule.span <= 1.0


def test_what_is_beyond_the_band_is_a_fault_on_either_side():
    assert faults((NARROW, WIDE), reading(0.2)) == [] == faults((NARROW, WIDE), reading(0.06))
    (close,) = faults((NARROW, WIDE), reading(0.03))
    assert (close.kind, close.what, close.body_part, close.phase) == ("narrow_stance", "As close as 0.03 m, left.", "left foot", "swing")
    assert close.severity == 0.35 and close.stage == "coordination"
    assert [fault.severity for fault in faults((WIDE,), reading(0.9))] == [0.6]


def test_what_does_not_apply_or_is_said_already_is_left_out():
    assert faults((WIDE, SWAY), reading()) == []
    assert [fault.kind for fault in faults((WIDE, SWAY), reading(sway=0.4))] == ["sway"]
    assert [fault.kind for fault in faults((WIDE, SWAY), reading(0.4, sway=0.4))] == ["wide_stance"]
