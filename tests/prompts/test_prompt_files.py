"""Prompt files: blocks, places, versions."""

from __future__ import annotations

import hashlib
from importlib import resources

import pytest

from movlr_jax.errors import MovlrError
from movlr_jax.llm.base import Image, Text
from movlr_jax.prompts import prompt
from movlr_jax.prompts.prompt import Prompt


def test_a_block_is_filled_in_order_and_what_fills_it_is_not_read_again():
    read = Prompt.read("p", "# system\nBe brief.\n\n# request\nGoal: $goal. $clip It cost $$5.\n")
    assert read.words("system") == "Be brief."
    picture = Image(b"png")
    filled = read.fill("request", goal="earn $clip and $nothing", clip=(picture, Text("!")))
    assert filled == (Text("Goal: earn $clip and $nothing. "), picture, Text("! It cost $5."))


@pytest.mark.parametrize(
    ("block", "values", "sentence"),
    [
        ("request", {}, r"\$goal is not filled"),
        ("request", {"goal": "x", "glue": "y"}, r"\$glue has no place"),
        ("requests", {"goal": "x"}, "no block 'requests'"),
    ],
)
def test_what_does_not_fit_is_an_error(block, values, sentence):
    with pytest.raises(MovlrError, match=sentence):
        Prompt.read("p", "# request\n$goal\n").fill(block, **values)


def test_files_that_are_no_prompts():
    for text in ("words alone", "before\n# a\nb", "# a\nb\n# a\nc"):
        with pytest.raises(MovlrError, match="must consist of blocks"):
            Prompt.read("p", text)
    with pytest.raises(MovlrError, match="did you mean compare"):
        prompt.load("compar")


def test_a_changed_file_has_another_version():
    text = "# request\nDo it.\n"
    assert Prompt.read("p", text).label == f"p@{hashlib.sha256(text.encode()).hexdigest()[:8]}"
    assert Prompt.read("p", text).version != Prompt.read("p", text + "\n").version


def test_every_prompt_of_the_package_is_there_and_is_listed():
    files = {p.name.removesuffix(".md") for p in resources.files("movlr_jax.prompts").iterdir() if p.name.endswith(".md")}
    assert files == set(prompt.NAMES)
    assert all({"system", "request"} <= set(prompt.load(name).blocks) for name in files)
