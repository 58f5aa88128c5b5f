"""The rules in words say what the gate refuses."""

from __future__ import annotations

from movlr_jax.rewards import program
from movlr_jax.sandbox import static
from movlr_jax.sandbox.rules import rules


def test_the_rules_come_from_the_tables_that_refuse(monkeypatch):
    told = rules()
    assert all(name in told for name in (*program.JNP_NAMES, *program.BUILTIN_NAMES, "smooth_abs(x, width=0.1)"))
    assert all(static.word_of(node) in told and cure in told for node, cure in static.CURES.items())
    assert "at most 64 times" in told
    monkeypatch.setattr(static, "MAX_LOOP", 7)
    monkeypatch.setitem(static.CURES, "Pass", "write something")
    assert "at most 7 times" in rules() and "Not allowed: pass: write something." in rules()


def test_the_example_in_the_prompt_keeps_the_rules():
    import textwrap

    from movlr_jax.prompts import prompt

    lines = prompt.load("write").blocks["system"].splitlines()
    program_text = textwrap.dedent("\n".join(line for line in lines if line.startswith("    ") or not line).strip("\n")).strip()
    assert program_text.startswith("WEIGHTS = ") and static.check(program_text) == ()
