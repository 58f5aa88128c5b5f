"""The static check's refusals point at the right line and place, and it survives whatever text is thrown at it."""

import random

import pytest
from conftest_sandbox import honest

from movlr_jax import tasks
from movlr_jax.rewards import program
from movlr_jax.rewards.library import LIBRARY
from movlr_jax.rewards.program import JNP_NAMES
from movlr_jax.sandbox import static

BODY = 'WEIGHTS = {{"a": 1.0}}\n\ndef terms(m):\n    x = m.head.height\n    return {{"a": {}}}\n'


def test_refusal_points_at_the_place(layout):
    refusal = static.check(BODY.format("1.0 + m.head.hieght"), layout)
    assert refusal is not None
    assert refusal.line == 5 and refusal.column == len('    return {"a": 1.0 + m.head.')
    assert refusal.reason == "Line 5: there is no attribute hieght; did you mean height."
    assert refusal.cure == "did you mean height"


def test_own_texts_pass(layout):
    for task in tasks.TASKS.values():
        for name, source in task.rewards.items():
            if not task.morphologies:  # else it may ask for what this body lacks
                assert static.check(source, layout) is None, (task.name, name)
            assert static.check(source) is None, (task.name, name)
    for name, term in LIBRARY.items():
        if all(place in layout.landmarks for place in term.needs):
            assert static.check(program.write({name: 1.0}, {name: term.expression}), layout) is None, name


@pytest.mark.parametrize("name", ["sin", "where", "dot", "stack", "clip"])
def test_jnp_names_are_called_not_kept(layout, name):
    assert name in JNP_NAMES
    refusal = static.check(BODY.format(f"jnp.{name}"), layout)
    assert refusal is not None and "without being called" in refusal.reason


@pytest.mark.parametrize(
    ("expression", "cure"),
    [
        ("jnp.linalg.norm(m.com.velocity)", "norm(v)"),
        ("jnp.interp(x, x, x)", "ramp"),
        ("np.sin(x)", "use jnp"),
        ("m.com.velocity.mean()", "jnp.mean"),
        ("m.left.hand.height", "left.foot"),
        ("m.standing.hand_height", "m.standing has"),
        ("smoothabs(x)", "smooth_abs"),
    ],
)
def test_cures_name_the_helper(layout, expression, cure):
    refusal = static.check(BODY.format(expression), layout)
    assert refusal is not None and cure in refusal.reason and cure in refusal.cure


def test_another_body_has_other_places(layout):
    assert static.check(BODY.format("m.left.hand.height")) is None
    assert static.check(BODY.format("m.left.hand.height"), layout) is not None


BOMBS = (
    *("(" * 9000, "[" * 9000, "{" * 9000, "a(" * 6000, "f(" * 30 + "x" + ")" * 30, "'" * 15000, "\\" * 9000, "\f" * 9000),
    *("-" * 15000 + "1", "not " * 4000 + "1", "1" + "+1" * 9000, "*" * 9000, "@" * 9000, "x=" * 9000, "async " * 3000),
    *("lambda:" * 2500 + "1", "a." * 9000 + "a", "a" + "[0]" * 6000, "x if x else " * 1500 + "x"),
    *("if x:\n" * 2000, "".join("  " * i + "if x:\n" for i in range(90))),
)


@pytest.mark.parametrize("bomb", BOMBS, ids=lambda bomb: bomb[:8])
def test_bombs_for_the_parser(layout, bomb):
    for text in (bomb, BODY.format(bomb)):
        refusal = static.check(text, layout)
        assert refusal is not None and refusal.reason.startswith(f"Line {refusal.line}: ")


def test_damaged_honest_texts_never_raise(layout):
    rand = random.Random(0)
    alphabet = "()[]{}:,.\"'\\\n\t =+-*/@#abm01_\x00\x7f\u202e\ud800é"
    for source in honest().values():
        for _ in range(12):
            letters = list(source)
            for _ in range(rand.choice((1, 2, 8))):
                letters[rand.randrange(len(letters))] = rand.choice(alphabet)
            refusal = static.check("".join(letters), layout)
            assert refusal is None or (refusal.line >= 1 and refusal.reason.endswith("."))
