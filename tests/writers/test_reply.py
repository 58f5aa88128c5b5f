"""Reading a model's answer: every way in which it holds no program has its sentence."""

from __future__ import annotations

import time

import pytest

from movlr_jax.sandbox import static
from movlr_jax.writers import reply
from movlr_jax.writers.reply import Unreadable

PROGRAM = 'WEIGHTS = {"a": 1.0}\n\n\ndef terms(m):\n    return {"a": m.head.height}\n'
FENCED = f"```python\n{PROGRAM}```"

SET_BY_A_CHAT = FENCED.replace('"', "\u201c").replace("    ", "\u00a0" * 4).replace("head", "he\u200bad")


@pytest.mark.parametrize(
    "text",
    [
        f"EDIT: add a 1\nWHY: It is low.\n{FENCED}",
        f"Sure!\n\n**EDIT:** add a 1\n\n- WHY: It is low.\n\n{FENCED}\n\nGood luck.",
        f"EDIT: add a 1\nWHY: It is low.\n~~~py\n{PROGRAM}~~~",
        f"EDIT: add a 1\nWHY: It is low.\n```\n{PROGRAM}```",
        f"EDIT: add a 1\nWHY: It is low.\n````python\n{PROGRAM}````",
        f"EDIT: add a 1\r\nWHY: It is low.\r\n{FENCED}".replace("\n", "\r\n").replace("\r\r", "\r"),
        f"<think>perhaps\n```python\nx = 1\n```\nno</think>EDIT: add a 1\nWHY: It is low.\n{FENCED}",
        f"{FENCED}\nEDIT: add\u200b a\u202e 1\x1b\nWHY:  It is low.",
        f"\ufeffEDIT: add a 1\nWHY: It is low.\n\u00a0\u200b{FENCED}",
        f"EDIT: add a 1\nWHY: It is low.\n{FENCED.replace('python', 'python' + chr(0x200B))}",
        f"EDIT: add a 1\nWHY: It is low.\n{SET_BY_A_CHAT}",
    ],
)
def test_one_block_and_two_lines(text):
    assert reply.read(text) == reply.Reply(PROGRAM, "add a 1", "It is low.")


@pytest.mark.parametrize(
    ("line", "base"),
    [
        ("", None),
        ("BUILDS ON: best", None),
        ("**BUILDS ON:** the best (iteration 3)", None),
        ("BUILDS ON: 3", 3),
        ("- builds on: `iteration 3`.", 3),
    ],
)
def test_an_answer_may_say_what_it_builds_on(line, base):
    assert reply.read(f"{line}\nEDIT: add a 1\n{FENCED}").base == base


@pytest.mark.parametrize("words", ["3 and 4", "my own", "-"])
def test_a_base_that_is_none_is_a_sentence(words):
    with pytest.raises(Unreadable, match=rf"BUILDS ON says '{words}': write `BUILDS ON: best`, or the number"):
        reply.read(f"BUILDS ON: {words}\n{FENCED}")


def test_what_was_changed_is_never_cut():
    long = ", ".join(f"add term_{i} {i}" for i in range(100))
    assert reply.read(f"EDIT: {long}\n{FENCED}").edit == long and len(long) > 1000
    with pytest.raises(Unreadable, match="EDIT has 4000 characters"):
        reply.read(f"EDIT: {'x' * 4000}\n{FENCED}")


def test_a_fence_in_a_docstring_does_not_end_the_block():
    shown = PROGRAM.replace("    return", '    """Like this:\n```\ncode\n```\n    """\n    return')
    assert reply.read(f"```python\n{shown}```").source == shown
    # Nor does a quote in a broken line hide the end.
    assert reply.read("```python\nx = 'it\n```").source == "x = 'it\n"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "is empty"),
        (" \n\u0020", "is empty"),
        ("Raise the weight of head_height.", "no block of code"),
        (PROGRAM, "no block of code"),
        (f"{FENCED}\nor\n{FENCED}", "2 blocks"),
        (f"```\nWEIGHTS\n```\n{FENCED}", "2 blocks"),
        ("```javascript\nlet a = 1\n```", "in 'javascript'"),
        ("```python\u202e\nx = 1\n```", r"'python\\u202e'"),
        ("```python\n\n```", "block of code is empty"),
        (f"```python\n{PROGRAM}", "not closed"),
        (f'```python\nx = """\n{PROGRAM}```', "not closed"),
        (f"EDIT: x\n\u202e{FENCED}", "invisible character"),
        (f"{FENCED}\ud83d", "half a character"),
        ("```python\n" + "x = 1\n" * 40_000 + "```", "240013 characters"),
        ("a" * 5_000_000, "5000000 characters"),
    ],
)
def test_what_holds_no_program_is_told_so(text, sentence):
    with pytest.raises(Unreadable, match=sentence):
        reply.read(text)


@pytest.mark.parametrize("sign", ["\u202e", "\u2066", "\u200e", "\x00"])
def test_unseen_signs_in_the_program_are_left_to_the_sandbox_which_names_their_line(sign):
    found = reply.read(f"```python\n{PROGRAM.replace('head', 'he' + sign + 'ad')}```")
    (refusal,) = static.check(found.source)
    assert refusal.line == 5 and "invisible" in refusal.reason


@pytest.mark.parametrize(
    "text", ["```" + " " * 150_000 + "`", '```python\n"""\n' + "```\n" * 45_000, "EDIT" * 49_000 + "\n" + "*_#> " * 700]
)
def test_no_answer_takes_long_to_read(text):
    began = time.process_time()
    with pytest.raises(Unreadable):
        reply.read(text)
    assert time.process_time() - began < 5.0
