"""Edits of a reward's text: the change takes, and every other character stays as it was."""

from __future__ import annotations

import pytest

from movlr_jax.rewards import program
from movlr_jax.rewards.program import literal_parameters, literal_weights
from movlr_jax.writers import edits
from movlr_jax.writers.base import EditError
from movlr_jax.writers.edits import Change

CANONICAL = program.write(
    {"forward_speed": 10.0, "balance": 100.0},
    {"forward_speed": "-smooth_abs(m.com.velocity_forward - m.goal.speed)", "balance": "-norm(m.com.position[:2])"},
)

ONE_LINE = 'WEIGHTS = {"a": 1.0, "b": 2.0}\ndef terms(m): return {"a": -m.time, "b": -m.dt}\n'

COMMENTED = '''\
# Walk, by hand. Überprüft: größer ist besser.
WEIGHTS = {
    "a": 1.0,  # the first, after "Müller, 2020"
    # the second is heavy
    "b": (200.0),
}

HALF = 0.5


def terms(m):
    """Two terms; } and { in words do no harm."""
    lean = m.trunk.up[2]  # cosine, not angle
    return {
        "a": -(
            1.0 - lean  # upright
        ),
        "b": HALF * sum([x for x in (m.time, m.dt)]),  # no trailing thought
    }
'''

NAMED = """\
WEIGHTS = {'a': 1, 'b': 2}

def terms(motion):
    out = {
        'a': -motion.time, 'b': -motion.dt}
    return out
"""

BUILT = """\
WEIGHTS = {"a": 1.0, "b": 2.0}

def helper(x):
    return -x

def terms(m):
    values = {}
    values["a"] = helper(m.time)
    values["b"] = helper(m.dt)
    return values
"""

BRANCHED = """\
WEIGHTS = {"a": 1.0, "b": 2.0}

def terms(m):
    def both():
        return {"a": -m.time, "b": -m.dt}
    if len(m.joints.angle) > 3:
        return both()
    return dict(a=-m.time, b=-m.dt)
"""

LAMBDA = 'WEIGHTS = {"a": 1.0, "b": 2.0}\nterms = lambda m: {"a": -m.time, "b": -m.dt}\n'

EXPANDED = """\
WEIGHTS = {"a": 1.0, "b": 2.0}

def base(m):
    return {"a": -m.time}

def terms(m):
    return {**base(m), "b": -m.dt}
"""

SHADOWED = """\
WEIGHTS = {"a": 1.0, "b": 2.0}

def terms(m):
    norm = m.time
    return {"a": -norm, "b": -m.dt}
"""

CRLF = COMMENTED.replace("\n", "\r\n")
STYLES = {
    "canonical": CANONICAL.replace("forward_speed", "a").replace("balance", "b"),
    "one line": ONE_LINE,
    "commented": COMMENTED,
    "named": NAMED,
    "built": BUILT,
    "branched": BRANCHED,
    "lambda": LAMBDA,
    "expanded": EXPANDED,
    "shadowed": SHADOWED,
    "crlf": CRLF,
}
NEW = "-norm(m.com.position[:2])"


def run(source, layout):
    """Trace the program as the package would; return its weights and its terms at a fixed instant."""
    import numpy as np

    ran = program.execute(source)
    fn, names = program.batched(ran, layout)
    features = np.linspace(0.1, 1.0, 2 * layout.size, dtype=np.float32)[None]
    return ran.weights, dict(zip(names, np.asarray(fn(features))[0].tolist(), strict=True))


@pytest.mark.parametrize("style", STYLES)
def test_a_term_is_added_in_any_style(style, layout):
    source = STYLES[style]
    before_weights, before = run(source, layout)
    edited = edits.add_term(source, "balance", 100.0, NEW)
    weights, values = run(edited, layout)
    assert weights == {**before_weights, "balance": 100.0}
    assert {k: values[k] for k in before} == before
    assert values["balance"] < 0


@pytest.mark.parametrize("style", STYLES)
def test_a_weight_is_set_in_any_style(style, layout):
    source = STYLES[style]
    weights, values = run(source, layout)
    edited = edits.set_weight(source, "b", 0.25)
    new_weights, new_values = run(edited, layout)
    assert new_weights == {**weights, "b": 0.25}
    assert new_values == values
    # nothing but that number changed
    assert len([1 for a, b in zip(source.splitlines(), edited.splitlines(), strict=True) if a != b]) == 1


@pytest.mark.parametrize("style", [s for s in STYLES if s != "lambda"])
def test_a_term_is_removed_in_any_style(style, layout):
    _, before = run(STYLES[style], layout)
    for gone, kept in (("a", "b"), ("b", "a")):
        weights, values = run(edits.remove_term(STYLES[style], gone), layout)
        assert list(weights) == [kept]
        assert values == {kept: before[kept]}


@pytest.mark.parametrize("style", STYLES)
def test_an_expression_is_changed_in_any_style(style, layout):
    if style == "lambda":
        pytest.skip("same path as the literal styles, without a function to wrap")
    weights, before = run(STYLES[style], layout)
    for name, other in (("a", "b"), ("b", "a")):
        new_weights, values = run(edits.change_expression(STYLES[style], name, "-7.0 * m.time"), layout)
        assert new_weights == weights
        assert values[other] == before[other]
        assert values[name] != before[name]


def test_comments_order_and_spacing_survive():
    edited = edits.add_term(COMMENTED, "c", 3.0, "-m.time")
    for line in COMMENTED.splitlines():
        # only the lines that the new entries follow may gain a comma
        assert line in edited or line.replace("(200.0),", "(200.0),") in edited
    assert edited.index('"b": (200.0)') < edited.index('"c": 3.0')
    assert '        "c": -m.time,\n    }' in edited
    there_and_back = edits.remove_term(edited, "c")
    assert there_and_back == COMMENTED


@pytest.mark.parametrize("style", ["canonical", "one line", "commented", "crlf"])
def test_adding_and_removing_gives_the_text_back(style):
    source = STYLES[style]
    assert edits.remove_term(edits.add_term(source, "c", 3.0, "-m.time"), "c").replace(", }", "}") == source


def test_wrapping_can_be_repeated(layout):
    source = BUILT
    for name in ("c", "d", "e"):
        source = edits.add_term(source, name, 1.0, "-m.time")
    source = edits.remove_term(source, "a")
    source = edits.change_expression(source, "d", "-2.0 * m.time")
    source = edits.remove_term(source, "e")
    weights, values = run(source, layout)
    assert list(weights) == ["b", "c", "d"]
    assert values["d"] == pytest.approx(2 * values["c"])


def test_what_the_static_check_accepts_it_still_accepts_after_an_edit():
    from movlr_jax.sandbox import static

    accepted = [style for style in STYLES if not static.check(STYLES[style])]
    assert {"canonical", "one line", "commented", "named", "built", "crlf"} <= set(accepted)
    for style in accepted:
        source = STYLES[style]
        for edited in (
            edits.add_term(source, "c", 3.0, NEW),
            edits.add_term(edits.add_term(source, "c", 3.0, NEW), "d", 3.0, NEW),
            edits.set_weight(source, "a", 3.0),
            edits.remove_term(source, "a"),
            edits.change_expression(source, "a", NEW),
            edits.add_term(edits.remove_term(source, "a"), "c", 3.0, NEW),
        ):
            refused = static.check(edited)
            assert not refused, f"{style}: {refused}\n{edited}"


def test_the_functions_own_name_for_m_is_used(layout):
    edited = edits.add_term(NAMED, "c", 3.0, 'm.joint("knee_angle_r").angle + m.time')
    assert 'motion.joint("knee_angle_r").angle + motion.time' in edited
    run(edited, layout)


@pytest.mark.parametrize("source", [CANONICAL, ONE_LINE, NAMED])
def test_a_part_of_one_program_fits_another(layout, source):
    for name, weight in literal_weights(source).items():
        part = edits.part_of(source, name)
        assert (part.action, part.term, part.weight, part.parameters) == ("add", name, weight, {})
        into = program.write({"other": 1.0}, {"other": "-m.dt"})
        run(edits.apply(into, [part]), layout)
    clocked = edits.set_parameter(edits.add_term(source, "clocked", 3.0, *CLOCKED), "stride_period", 1.3)
    part = edits.part_of(clocked, "clocked")
    assert part.expression == "m.time / m.parameters.stride_period" and part.parameters == {"stride_period": (1.3, 0.9, 1.5)}
    assert literal_parameters(edits.apply(into, [part]))["stride_period"].value == 1.3


@pytest.mark.parametrize(
    ("source", "name", "why"),
    [
        (COMMENTED, "a", "reads lean of its program"),
        (COMMENTED, "b", "reads HALF"),
        (BUILT, "a", "stands in no literal"),
        (ONE_LINE, "z", "no term z"),
        ("norm = 3\n" + ONE_LINE.replace("-m.time", "-m.time * norm"), "a", "reads norm"),
    ],
)
def test_a_part_that_hangs_on_the_rest_stays_where_it_is(source, name, why):
    with pytest.raises(EditError, match=why):
        edits.part_of(source, name)


CLOCKED = ("m.time / m.parameters.stride_period", {"stride_period": (1.15, 0.9, 1.5)})


@pytest.mark.parametrize("source", [CANONICAL, ONE_LINE, NAMED])
def test_a_term_brings_its_parameters_and_takes_them_along(layout, source):
    own = literal_parameters(source)
    edited = edits.add_term(source, "clocked", 3.0, *CLOCKED)
    assert list(literal_parameters(edited)) == [*own, "stride_period"]
    run(edited, layout)
    assert literal_parameters(edited)["stride_period"].triple() == (1.15, 0.9, 1.5)
    moved = edits.set_parameter(edited, "stride_period", 1.3)
    # A second term shares what is there, and its value; removing the first leaves what the second reads.
    both = edits.add_term(moved, "other", 1.0, "-m.parameters.stride_period * m.time", CLOCKED[1])
    assert literal_parameters(both)["stride_period"].value == 1.3
    left = edits.remove_term(both, "clocked")
    assert literal_parameters(left)["stride_period"].value == 1.3
    assert literal_parameters(edits.remove_term(left, "other")) == own
    gone = edits.remove_term(edited, "clocked")
    assert literal_parameters(gone) == own and literal_weights(gone) == literal_weights(source) and "PARAMETERS" not in gone
    assert gone == source or source == NAMED


@pytest.mark.parametrize(("name", "parameter"), [("clocked", "balance"), ("stride_period", "lift"), ("clocked", "clocked")])
def test_a_parameter_is_not_called_as_a_term_is(name, parameter):
    with pytest.raises(EditError, match="parameter"):
        declared = edits.add_term(CANONICAL, "one", 1.0, "-m.parameters.stride_period", CLOCKED[1])
        edits.add_term(declared, name, 1.0, f"-m.parameters.{parameter}", {parameter: (1.0, 0.5, 2.0)})


def test_long_expressions_are_folded_and_stay_right(layout):
    from movlr_jax.rewards.library import LIBRARY

    source = CANONICAL
    for name in ("feet_apart", "foot_clearance", "knee_alignment"):
        source = edits.add_term(source, name, 1.0, LIBRARY[name].expression)
    assert max(map(len, source.splitlines())) <= 140
    run(source, layout)


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda: edits.add_term(ONE_LINE, "a", 1.0, "-m.time"), "already"),
        (lambda: edits.set_weight(ONE_LINE, "z", 1.0), "no term z"),
        (lambda: edits.remove_term(ONE_LINE, "z"), "no term z"),
        (lambda: edits.remove_term('WEIGHTS = {"a": 1.0}\ndef terms(m): return {"a": m.time}\n', "a"), "only term"),
        (lambda: edits.add_term(ONE_LINE, "c", 1.0, "-("), "not Python"),
        (lambda: edits.add_term("def terms(m): return {}", "c", 1.0, "m.time"), "WEIGHTS"),
        (lambda: edits.add_term('WEIGHTS = {"a": 1.0}', "c", 1.0, "m.time"), "terms"),
        (lambda: edits.add_term("norm = 3\n" + ONE_LINE, "c", 1.0, NEW), "another meaning"),
        (lambda: edits.add_term('WEIGHTS = {"a": 1}\nterms = lambda m: dict(a=m.time)\n', "c", 1.0, NEW), "lambda"),
        (lambda: edits.add_term('WEIGHTS = {"a": 1}\ndef terms(m, n): return {"a": 1}\n', "c", 1.0, NEW), "one argument"),
        (lambda: edits.apply(ONE_LINE, [Change("add", "c")]), "needed"),
        (lambda: edits.apply(ONE_LINE, [Change("reweigh", "a")]), "needed"),
        (lambda: edits.apply(ONE_LINE, [Change("change", "a")]), "needed"),
    ],
)
def test_what_cannot_be_edited_is_said_in_a_sentence(edit, message):
    with pytest.raises(EditError, match=message):
        edit()


def test_apply_and_describe():
    changes = [Change("reweigh", "a", weight=5.0), Change("add", "c", 2.5, "-m.time")]
    assert edits.describe(changes) == edits.describe(changes[::-1]) == "add c 2.5, reweigh a to 5"
    edited = edits.apply(ONE_LINE, changes)
    assert program.literal_weights(edited) == {"a": 5.0, "b": 2.0, "c": 2.5}
    assert edits.describe([Change("remove", "b")]) == "remove b"
    assert program.literal_weights(edits.apply(edited, [Change("change", "b", 9.0, "-m.dt")]))["b"] == 9.0


def test_the_text_is_never_executed(tmp_path):
    marker = tmp_path / "ran"
    hostile = f'open({str(marker)!r}, "w")\n' + ONE_LINE
    edits.add_term(hostile, "c", 1.0, "-m.time")
    edits.set_weight(hostile, "a", 3.0)
    assert not marker.exists()


@pytest.mark.parametrize(
    ("bomb", "said"),
    [
        ("match x:\n    case " + "[" * 40 + "y" + "]" * 40 + ": pass\n", "match statement"),
        ("x = " + "[" * 100 + "]" * 100 + "\n", "nested too deeply"),
        ("x = " + "not " * 400 + "1\n", "nested too deeply"),
        ("x = " + "-" * 100_000 + "1\n", "longer than"),
        ("x = " + "(" * 9_000 + "1" + ")" * 9_000 + "\n", "not Python"),
        ("x = a" + "\nx = a[a[a[a[1]]]]" * 1_000 + "\n", "more than 8000"),
        ("x = 1\x0c\n", "control characters"),
        ("x = '\ud800'\n", "not Python"),
    ],
)
def test_a_text_that_would_hold_up_the_parser_is_refused(bomb, said):
    with pytest.raises(EditError, match=said):
        edits.set_weight(ONE_LINE + bomb, "a", 3.0)


@pytest.mark.parametrize(
    "bomb", ["[" * 100 + "]" * 100, "not " * 400 + "1", "-" * 100_000 + "1", "(" * 9_000 + "1" + ")" * 9_000, "m.\ud800"]
)
def test_an_expression_that_would_hold_up_the_parser_is_refused(bomb):
    with pytest.raises(EditError, match="The expression of c"):
        edits.add_term(ONE_LINE, "c", 1.0, bomb)


@pytest.mark.parametrize("nest", ["a[|]", "{**|}", "f(x=|)", "(a for a in |)", "lambda: |", "(x := |)"])
def test_a_text_as_deep_as_the_sandbox_admits_is_edited(nest):
    left, right = nest.split("|")
    bomb = "y = " + left * 18 + "a" + right * 18
    assert bomb in edits.add_term(ONE_LINE + (bomb + "\n") * 20, "c", 1.0, "-m.time")


def test_comments_of_other_entries_survive_a_removal():
    source = """\
WEIGHTS = {"a": 1.0,  # about a
    # about b
    "b": 2.0}
def terms(m):
    return {
        # about both
        "a": -m.time,  # of time
        "b": -m.dt  # of dt
    }
"""
    edited = edits.remove_term(source, "b")
    assert "# about a" in edited and "# about both" in edited and "# of time" in edited and "# of dt" not in edited
    assert program.literal_weights(edited) == {"a": 1.0}


def test_a_literal_that_has_another_name_may_be_written_to():
    source = 'WEIGHTS = {"a": 1.0}\n\ndef terms(m):\n    out = also = {"a": -m.time}\n    also["a"] = m.dt\n    return out\n'
    assert edits.change_expression(source, "a", "-m.dt").endswith('    out["a"] = -m.dt\n    return out\n')


def test_a_nominal_posture_stays_through_every_edit():
    posed = 'JOINTS = ("knee_angle_l",)\n' + CANONICAL + '\n\ndef posture(m):\n    return {"knee_angle_l": 0.1 * m.time}  # gently\n'
    first = next(iter(program.literal_weights(posed)))
    for edited in (
        edits.add_term(posed, "more", 2.0, "-m.dt"),
        edits.set_weight(posed, first, 7.0),
        edits.change_expression(posed, first, "-m.dt"),
        edits.add_term(posed.replace("return {\n", "return dict(**{\n", 1).replace("    }\n", "    })\n", 1), "more", 2.0, "-m.dt"),
    ):
        assert program.literal_joints(edited) == ("knee_angle_l",)
        assert 'def posture(m):\n    return {"knee_angle_l": 0.1 * m.time}  # gently\n' in edited + "\n"


DECLARED = """# The start of it.
PARAMETERS = {
    "period": (1, 0.8, 1.3),  # s, of one stride
    "lift": [0.1, -0.2, 2.0e-1],
}
WEIGHTS = {"a": 1.0}


def terms(m):
    return {"a": m.time * m.parameters.period + m.parameters.lift}
"""


def test_a_parameter_is_set_and_nothing_else_moves():
    change = Change("set", "period", 1.1, before=1.0)
    assert change.line() == "set period 1.0 -> 1.1" and Change("set", "lift", -0.2).line() == "set lift to -0.2"
    edited = edits.apply(DECLARED, [change, Change("set", "lift", -0.2)])
    assert edited == DECLARED.replace("(1,", "(1.1,").replace("[0.1,", "[-0.2,")
    assert program.literal_parameters(edited)["period"].triple() == (1.1, 0.8, 1.3)
    added = edits.apply(edited, [Change("add", "b", 2.0, "m.parameters.period - m.dt")])
    assert program.literal_parameters(added) == program.literal_parameters(edited) and "m.parameters.period - m.dt" in added
    assert edits.describe([change, Change("reweigh", "a", 3.0)]) == "reweigh a to 3, set period 1.0 -> 1.1"


@pytest.mark.parametrize(
    ("source", "change", "said"),
    [
        (DECLARED, Change("set", "period", 1.4), "period cannot be 1.4, outside its range, 0.8 to 1.3"),
        (DECLARED, Change("set", "perod", 1.0), "No parameter named perod: did you mean period"),
        (DECLARED, Change("set", "period"), "To set period a value is needed"),
        (DECLARED.replace("PARAMETERS", "OTHERS"), Change("set", "period", 1.0), "this reward has none"),
        (DECLARED.replace("1.3)", "0.3)"), Change("set", "period", 1.0), "not below its highest"),
    ],
)
def test_a_parameter_that_cannot_be_set_is_told(source, change, said):
    with pytest.raises(EditError, match=said):
        edits.apply(source, [change])


def test_what_differs_from_a_text_becomes_changes_and_what_changed_a_record():
    changes = edits.to_values(DECLARED, {"a": 2.0}, {"period": 1.25, "lift": 0.1})
    assert changes == [Change("reweigh", "a", 2.0), Change("set", "period", 1.25, before=1.0)]
    assert edits.to_values(DECLARED, {"a": 1.0}, {}) == []
    before, after = {"period": 1.0, "lift": 0.1, "gone": 2.0}, {"period": 1.1, "lift": 0.1, "new": 3.0}
    assert edits.parameter_changes(before, after) == {"period": "1.0 -> 1.1", "new": "added 3.0", "gone": "removed"}
