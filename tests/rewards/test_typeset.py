"""What editors and chats make of a program is read as it was meant where that is certain, else left for a refusal by line."""

from __future__ import annotations

import ast

import pytest

from movlr_jax import tasks
from movlr_jax.rewards import packaged, typeset
from movlr_jax.sandbox import static

PLAIN = 'WEIGHTS = {\n    "height": 100.0,\n}\n\n\ndef terms(m):\n    up = m.head.height - 0.95\n    return {"height": -smooth_abs(up)}\n'


def test_texts_of_the_package_are_left_to_the_letter_and_known_behind_a_mark():
    for task in tasks.TASKS.values():
        for source in task.rewards.values():
            assert typeset.cleaned(source) == typeset.Cleaned(source, {})
            assert packaged.is_own(typeset.cleaned("\ufeff" + source.replace("\n", "\r\n")).text)


@pytest.mark.parametrize(
    ("spoilt", "told"),
    [
        ("\ufeff" + PLAIN, "a byte-order mark"),
        (PLAIN.replace("\n", "\r\n"), "line ends of another system"),
        (PLAIN.replace("\n", "\r"), "line ends of another system"),
        (PLAIN.replace('"height"', "“height”"), "curly quotes (lines 2, 8)"),
        (PLAIN.replace('"height"', "„height“"), "curly quotes (lines 2, 8)"),
        (PLAIN.replace('"height"', "“height”", 1), "curly quotes (line 2)"),
        (PLAIN.replace('"height":', '“height":', 1), "curly quotes (line 2)"),
        (PLAIN.replace("    ", "\u00a0\u00a0 \u00a0"), "spaces that do not break (lines 2, 7, 8)"),
        (PLAIN.replace(" = ", "\u202f=\u2009"), "spaces that do not break"),
        (PLAIN.replace("height - 0.95", "height − 0.95"), "dashes for a minus (line 7)"),
        (PLAIN.replace("height - 0.95", "height – 0.95"), "dashes for a minus (line 7)"),
        (PLAIN.replace("-smooth_abs(up)", "－smooth_abs（up）"), "full-width signs (line 8)"),
        (PLAIN.replace("WEIGHTS = {", "WEIGHTS ＝ ｛"), "full-width signs (line 1)"),
        (PLAIN.replace("m.head", "m.\u200bhead"), "signs of no width (line 7)"),
        (PLAIN.replace('"height"', '"hei\u00adght"'), "signs of no width (lines 2, 8)"),
        (PLAIN.replace("\n\n\ndef", "\u2028\n\ndef"), "ends of lines that Python does not know (line 3)"),
        (PLAIN.replace("    up", "\tup"), "tabs among spaces (line 7)"),
    ],
)
def test_what_has_one_meaning_is_read_so(spoilt, told, layout):
    found = typeset.cleaned(spoilt)
    assert found.text == PLAIN and told in found.sentence() and static.check(found.text, layout) == ()


def test_single_curly_quotes_and_docstrings():
    spoilt = "“““Lifts the “left” foot, at 5 %.”””\nWEIGHTS = {‘a’: 1.0}\n"
    assert typeset.cleaned(spoilt).text.startswith('"""Lifts the “left” foot') and "{'a': 1.0}" in typeset.cleaned(spoilt).text


@pytest.mark.parametrize(
    "text",
    [
        'x = "a “quoted” word, – and × 5"  # don’t – “touch” ×\n',
        "x = 'it’s'\n",
        '"""“one”\n‘two’ − 3\u00a0"""\nx = 1\n',
        'x = "\\"“" + \'”\'\n',
        "x = 1  # naïve π\n",
        "if x:\n\ty = 1\n\tif y:\n\t\tz = 2\n",
        "ｘ = 1\n",
    ],
)
def test_strings_and_comments_of_a_sound_text_stay(text):
    assert typeset.cleaned(text).text == text


def test_strings_stay_where_code_is_put_right():
    found = typeset.cleaned('x\u00a0= "a – “b”\u00a0c"  # – “d”\ny = 1 − 2\n')
    assert found.text == 'x = "a – “b”\u00a0c"  # – “d”\ny = 1 - 2\n'
    assert found.changes == {"spaces that do not break": (1,), "dashes for a minus": (2,)}


@pytest.mark.parametrize("mark", ["\u202e", "\u2066", "\u200f", "\x00", "\x1b"])
def test_what_hides_how_a_text_reads_is_left_to_be_refused(mark, layout):
    spoilt = PLAIN.replace("up = m", f"up = {mark}m")
    assert mark in typeset.cleaned(spoilt).text
    (refusal,) = static.check(typeset.cleaned(spoilt).text, layout)
    assert refusal.line == 7 and "invisible" in refusal.reason


def test_what_has_no_one_meaning_is_named_by_line(layout):
    (refusal,) = static.check(typeset.cleaned(PLAIN.replace("0.95", "½")).text, layout)
    assert refusal.line == 7 and "½" in refusal.reason
    two_ways = "def f(x):\n    if x:\n\tx = 1\n        y = 2\n"  # by eight columns the lines belong together, by four they do not
    assert typeset.cleaned(two_ways).text in (two_ways, two_ways.replace("\t", "        "))
    assert static.check(typeset.cleaned(PLAIN.replace('"height":', "“height:", 1)).text, layout)[0].line == 2


def test_meaning_is_kept_whatever_is_put_into_a_sound_text(rng):
    signs = "“”‘’–−\u00a0\u200b\u2028×（，ｘ\ufeff"
    for _ in range(200):
        letters = list('x = ["a b", \'c\']  # d\ny = (x, 1 - 2)\n"""e\nf"""\n')
        for _ in range(3):
            letters.insert(int(rng.integers(len(letters))), signs[int(rng.integers(len(signs)))])
        text = "".join(letters)
        try:
            meant = ast.dump(ast.parse(typeset.without_width(text)))
        except SyntaxError:
            typeset.cleaned(text)
            continue
        assert ast.dump(ast.parse(typeset.cleaned(text).text)) == meant


def test_large_and_deep_texts_do_no_harm():
    for text in ("“" * 300_000, "(" * 100_000 + "\u00a0", "\u00a0\t" * 100_000, "“" + "\\" * 100_001, "# é" * 50_000):
        typeset.cleaned(text)
