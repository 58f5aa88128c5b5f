"""Thoughts in every dress are taken off an answer, for critics and writers alike."""

from __future__ import annotations

import pytest

from movlr_jax.llm.reasoning import without_thoughts
from movlr_jax.writers import reply

PROGRAM = 'EDIT: add a\nWHY: b\n```python\nWEIGHTS = {"a": 1.0}\n```'
ANSWERS = ['{"success": false, "summary": "falls"}', PROGRAM]
DRESSES = {
    "none": "{}",
    "tags": "<think>\nlet me see ```python\nx = 1\n```\n</think>\n{}",
    "no opening tag": "let me see {{}} ```python\nx = 1\n```\n</think>\n\n{}",
    "thinking": "<thinking>hm</thinking>{}",
    "reasoning": "<reasoning>hm</reasoning>\n{}",
    "brackets": "[THINK]hm[/THINK]{}",
    "triangles": "◁think▷hm◁/think▷{}",
    "seed": "<seed:think>hm</seed:think>{}",
    "twice": "<think>a</think> well <think>b</think>{}",
    "channels": "<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>{}<|return|>",
    "constrained channel": "<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final <|constrain|>json<|message|>{}",
    "an end mark": "{}<|im_end|>",
}


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("dress", DRESSES)
def test_the_answer_alone_is_left(dress: str, answer: str) -> None:
    said = DRESSES[dress].replace("{{}}", "{ }").replace("{}", answer)
    assert without_thoughts(said).strip() == answer
    if answer is PROGRAM:
        assert reply.read(said).source == 'WEIGHTS = {"a": 1.0}\n'


@pytest.mark.parametrize("cut", ["<think>and then", "  <thinking>", "[THINK]so", "<|channel|>analysis<|message|>so far"])
def test_an_answer_that_was_cut_off_while_thinking_is_empty(cut: str) -> None:
    assert without_thoughts(cut) == ""
    with pytest.raises(reply.Unreadable, match="empty"):
        reply.read(cut)


def test_words_of_thinking_inside_an_answer_stay() -> None:
    for text in ('{"summary": "I think <b> it falls"}', "a [thing] and a <thin> line", "I think so"):
        assert without_thoughts(text) == text
