"""Formulas: which terms of a program were rewritten, and which only look other."""

from __future__ import annotations

import pytest

from movlr_jax.writers import edits, formulas

PROGRAM = """
WEIGHTS = {"up": 10.0, "speed": 5.0}
LIMITS = {"low": 0.9, "fast": 1.2}


def lack(x, bound):
    return jnp.minimum(0.0, x - bound)


def terms(m):
    pace = m.com.velocity_forward
    return {
        "up": lack(m.head.height, LIMITS["low"]),
        "speed": -smooth_abs(pace - LIMITS["fast"]),
    }
"""


@pytest.mark.parametrize(
    ("old", "new", "terms"),
    [
        ('"speed": 5.0', '"speed": 50.0', set()),  # a weight
        ('        "up": lack(m.head.height, LIMITS["low"]),\n', '        "up": lack(  # high\n m.head.height, LIMITS["low"]),\n', set()),
        ("pace - LIMITS", "2.0 * pace - LIMITS", {"speed"}),  # its expression
        ("pace = m.com", "pace = 2.0 * m.com", {"speed"}),  # a local value of it
        ("x - bound)", "2.0 * x - bound)", {"up"}),  # a helper of it
        ('"low": 0.9', '"low": 0.8', {"up"}),  # one of several constants
        ('"fast": 1.2', '"slow": 1.2', {"speed"}),
    ],
)
def test_a_term_is_rewritten_where_anything_that_it_is_computed_from_is(old, new, terms):
    assert old in PROGRAM
    assert formulas.rewritten(PROGRAM, PROGRAM.replace(old, new)) == terms


def test_small_edits_rewrite_what_they_say_whatever_form_the_text_takes():
    clever = PROGRAM.replace("    return {\n", "    values = {\n").replace(
        "    }\n", "    }\n    values.update({})\n    return dict(values)\n"
    )
    assigned = PROGRAM.replace("    return {\n", "    values = {\n").replace(
        "    }\n", '    }\n    values["up"] = m.head.height\n    return values\n'
    )
    for program in (PROGRAM, assigned, clever):
        added = edits.add_term(program, "calm", 1.0, "-mean_square(m.joints.velocity)")
        assert formulas.rewritten(program, edits.set_weight(program, "up", 3.0)) == set()
        assert formulas.rewritten(program, added) <= ({"up", "speed"} if program is clever else set())
    assert formulas.rewritten(PROGRAM, edits.change_expression(PROGRAM, "up", "m.head.height")) == {"up"}
    assert formulas.rewritten(assigned, edits.change_expression(assigned, "up", "m.trunk.height")) == {"up"}
    wrapped = edits.change_expression(clever, "up", "m.head.height")
    assert "base_terms" in wrapped and "up" in formulas.rewritten(clever, wrapped)
    assert formulas.rewritten(wrapped, edits.set_weight(wrapped, "up", 2.0)) == set()


def test_terms_that_cannot_be_followed_are_rewritten_with_the_whole():
    body = 'out = {}\n    for name in ("a", "b"):\n        out[name] = m.time\n    return out'
    loop = f'WEIGHTS = {{"a": 1.0, "b": 1.0}}\n\n\ndef terms(m):\n    {body}\n'
    assert formulas.rewritten(loop, loop) == set()
    assert formulas.rewritten(loop, loop.replace("m.time", "m.dt")) == {"a", "b"}


@pytest.mark.parametrize("text", ["", "while", "WEIGHTS = {}\n", "(" * 5000, "def terms(m):\n    pass\n", "x = '\0'"])
def test_a_text_that_is_no_program_has_no_formulas(text):
    assert formulas.formulas(text) == {} and formulas.rewritten(text, PROGRAM) == set()
