"""The static check's refusals point at the right line and place, and it survives whatever text is thrown at it."""

import random

import pytest
from support.sandbox_programs import honest

from movlr_jax import tasks
from movlr_jax.rewards import library
from movlr_jax.rewards.program import JNP_NAMES
from movlr_jax.sandbox import static

BODY = 'WEIGHTS = {{"a": 1.0}}\n\ndef terms(m):\n    x = m.head.height\n    return {{"a": {}}}\n'


def test_refusal_points_at_the_place(layout):
    (refusal,) = static.check(BODY.format("1.0 + m.head.hieght"), layout)
    assert refusal.line == 5 and refusal.column == len('    return {"a": 1.0 + m.head.')
    assert refusal.reason == "Line 5: there is no attribute hieght of m.head; did you mean height."
    assert refusal.cure == "did you mean height"


def test_own_texts_pass(layout):
    for task in tasks.TASKS.values():
        for name, source in task.rewards.items():
            if not task.morphologies:  # else it may ask for what this body lacks
                assert static.check(source, layout) == (), (task.name, name)
            assert static.check(source) == (), (task.name, name)
    for name, term in library.for_layout(layout).items():
        assert static.check(library.text([term]), layout) == (), name


@pytest.mark.parametrize("name", ["sin", "where", "dot", "stack", "clip"])
def test_jnp_names_are_called_not_kept(layout, name):
    assert name in JNP_NAMES
    (refusal,) = static.check(BODY.format(f"jnp.{name}"), layout)
    assert "without being called" in refusal.reason


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
    (refusal,) = static.check(BODY.format(expression), layout)
    assert cure in refusal.reason and cure in refusal.cure


def test_another_body_has_other_places(layout):
    assert static.check(BODY.format("m.left.hand.height")) == ()
    assert static.check(BODY.format("m.left.hand.height"), layout)


BOMBS = (
    *("(" * 9000, "[" * 9000, "{" * 9000, "a(" * 6000, "f(" * 30 + "x" + ")" * 30, "'" * 15000, "\\" * 9000, "\f" * 9000),
    *("-" * 15000 + "1", "not " * 4000 + "1", "1" + "+1" * 9000, "*" * 9000, "@" * 9000, "x=" * 9000, "async " * 3000),
    *("lambda:" * 2500 + "1", "a." * 9000 + "a", "a" + "[0]" * 6000, "x if x else " * 1500 + "x"),
    *("if x:\n" * 2000, "".join("  " * i + "if x:\n" for i in range(90))),
)


@pytest.mark.parametrize("bomb", BOMBS, ids=lambda bomb: bomb[:8])
def test_bombs_for_the_parser(layout, bomb):
    for text in (bomb, BODY.format(bomb)):
        refusals = static.check(text, layout)
        assert refusals and all(refusal.reason.startswith(f"Line {refusal.line}: ") for refusal in refusals)


def test_damaged_honest_texts_never_raise(layout):
    rand = random.Random(0)
    alphabet = "()[]{}:,.\"'\\\n\t =+-*/@#abm01_\x00\x7f\u202e\ud800é"
    for source in honest().values():
        for _ in range(12):
            letters = list(source)
            for _ in range(rand.choice((1, 2, 8))):
                letters[rand.randrange(len(letters))] = rand.choice(alphabet)
            for refusal in static.check("".join(letters), layout):
                assert refusal.line >= 1 and refusal.reason.endswith(".")


def program_of(*lines: str) -> str:
    return 'WEIGHTS = {"a": 1.0}\n\n\ndef terms(m):\n' + "".join(f"    {line}\n" for line in lines)


# What Python would decide on at once, and a reward may not: a line of terms, what it is called, what to write.
DECISIONS = [
    ('return {"a": 1.0 if m.head.height > 1.0 else 0.0}', "an if asks for", "write jnp.where(condition, a, b)"),
    ('return {"a": m.head.height > 1.0 and m.time > 2.0}', "and asks for", "write jnp.logical_and(a, b)"),
    ('return {"a": (m.head.height > 1.0) or 0.0}', "or asks for", "write jnp.logical_or(a, b)"),
    ('return {"a": not m.left.foot.in_contact}', "not asks for", "write jnp.logical_not(a)"),
    ('return {"a": 0.5 < m.head.height < 1.0}', "a chain of comparisons asks for", "write jnp.logical_and(a < b, b < c)"),
    ('return {"a": float(m.head.height)}', "float, int or range asks for", "leave the value as it is"),
    ('return {"a": sum(x for x in (1.0, 2.0) if m.time > x)}', "an if asks for", "jnp.where(condition, a, b)"),
    ('return {"a": jnp.abs(m.com.velocity_left) if smooth_abs(m.com.velocity)[0] > 1.0 else 0.0}', "an if asks for", "jnp.where"),
]


@pytest.mark.parametrize(("line", "what", "cure"), DECISIONS)
def test_what_python_cannot_decide_names_what_to_write(layout, line, what, cure):
    (refusal,) = static.check(program_of(line), layout)
    assert refusal.reason.startswith(f"Line 5: {what} a quantity of m, which is known only when the body moves; ")
    assert cure in refusal.cure


def test_statements_that_decide(layout):
    first, second = static.check(
        program_of("x = m.head.height", "if x > 1.0:", "    x = 1.0", "while x > 0.5:", "    x = x - 0.1", 'return {"a": x}'), layout
    )
    assert first.line == 6 and "an if asks for a quantity of m" in first.reason and "choose between two values with jnp.where" in first.cure
    assert second.line == 8 and "while is not allowed" in second.reason and "jnp.where(condition, a, b)" in second.cure


def test_what_is_decided_from_constants_passes(layout):
    text = program_of(
        "x = 0.0",
        "for side in (0, 1):",
        "    if side == 0 and not side == 1:",
        "        x = x + (m.head.height if m.standing.head_height > 1.0 else 0.0)",
        'limit = m.joint("knee_angle_r").upper',
        'return {"a": x if 0.0 < limit < 9.0 else 0.0}',
    )
    assert static.check(text, layout) == ()


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ('m.joints["knee_angle_r"]', 'm.joints is not indexed; write m.joint("knee_angle_r").angle'),
        ("m.joints[2]", "m.joints is not indexed; write m.joints.angle[2]"),
        ('m.muscles["soleus_r"]', 'write m.muscle_group("soleus_r").activation'),
        ("m.muscles[0]", "write m.muscles.activation[0]"),
        ("m.head[2]", "m.head is not indexed; write .position[2]"),
        ('m["pelvis"].height', "m is not indexed; write .pelvis"),
        ("m.height", "there is no attribute height of m; m has com, dt, goal, head, joint, joints"),
        ("m.com.load", "of m.com; m.com has height, position, velocity, velocity_forward, velocity_left"),
        ("m.head.load", "there is no attribute load of m.head; m.head has angular_velocity, forward, height"),
        ("m.left.tail.height", "there is no attribute tail of m.left; m.left has "),
        ("m.com.velocity.x", "there is no attribute x of m.com.velocity; it is an array: m.com.velocity[0] is its first number"),
        ("m.goal.position", "m.goal has heading_error, object_orientation_error"),
        ("m.com - m.pelvis", "m.com is no number; name one of its quantities: m.com.height, m.com.position"),
        ("-m.left", "m.left is no number; name a landmark of it"),
        ("smooth_abs(m.head)", "m.head is no number; name one of its quantities"),
    ],
)
def test_what_is_asked_of_the_wrong_thing_lists_what_there_is(layout, expression, said):
    reasons = [refusal.reason for refusal in static.check(BODY.format(expression), layout)]
    assert said in reasons[0]


def test_every_fault_is_told_at_once_and_none_twice(layout):
    text = program_of(
        "import numpy as np",
        "up = np.linalg.norm(m.trunk.upp)",
        "down = np.sin(up)",
        'x = m.joints["hip"] + m.head.hieght',
        "if m.time > 1.0:",
        "    x = 0.0",
        'return {"a": x + y, "b": f"{up}"}',
    ).replace('{"a": 1.0}', '{"a": "high", "a": 2.0}')
    found = static.check(text, layout)
    assert [(r.line, r.reason.partition(": ")[2].partition(";")[0]) for r in found] == [
        (1, "the weight of a is not a literal number"),
        (1, "the term 'a' is weighed twice"),
        (5, "import is not allowed in a function"),
        (6, "there is no attribute upp of m.trunk"),
        (8, "m.joints is not indexed"),
        (8, "there is no attribute hieght of m.head"),
        (9, "an if asks for a quantity of m, which is known only when the body moves"),
        (11, "the name y is not known"),
        (11, "an f-string is not allowed in an expression"),
    ]


def test_a_fault_is_not_told_again_by_what_follows_from_it(layout):
    text = "import os\nfrom math import sin as s\n" + program_of('os.system("x")', 'return {"a": s(1.0)}')
    first, second = static.check(text, layout)  # what is said of the second import is the same
    assert first.line == 1 and "remove the import" in first.reason
    assert second.line == 7 and "the value of this line is not used" in second.reason


def test_a_text_of_faults_alone_is_bounded(layout):
    lines = [f"x{i} = m.head.h{i}" for i in range(400)]
    assert len(static.check(program_of(*lines), layout)) == 4 * static.MAX_REFUSALS
