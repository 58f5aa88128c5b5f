"""Options: flags over defaults, mistakes in one sentence."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import pytest
import tyro

from movlr_jax.cli import flags
from movlr_jax.cli.rollout import Options
from movlr_jax.control.planners import CEM, ICEM, MPPI
from movlr_jax.errors import MovlrError


@dataclass(frozen=True)
class Sample:
    """A sample."""

    file: Annotated[Path, tyro.conf.Positional]
    """The file."""
    seeds: tuple[int, ...] = (0,)
    """Seeds."""
    engine: Literal["auto", "native"] = "auto"
    """Engine."""
    seconds: float = 1.0
    """Seconds [s]."""
    film: bool = False
    """Film."""
    limit: float | None = None
    """Limit."""


def test_flags_win_over_the_default() -> None:
    default = Sample(Path("a"), seconds=2.0, engine="native")
    parsed = flags.parse(Sample, ["b", "--seeds", "1", "2", "3", "--film"], "sample", default)
    assert parsed == Sample(Path("b"), seeds=(1, 2, 3), engine="native", seconds=2.0, film=True)


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["FILE", "--sedes", "1"], "There is no option --sedes, did you mean --seeds?"),
        (["FILE", "--engine", "cuda"], "'native'"),
        (["FILE", "--seeds", "one"], "--seeds takes INT, not 'one'."),
        (["FILE", "--limit", "x"], "--limit takes FLOAT, not 'x'."),
        (["FILE", "--seconds"], "A value for --seconds is missing."),
        (["FILE", "more"], "There is no option more."),
        ([], "FILE is missing (the file)."),
    ],
)
def test_mistakes_are_one_sentence(words: list[str], part: str) -> None:
    with pytest.raises(MovlrError) as told:
        flags.parse(Sample, words, "sample")
    assert str(told.value).endswith("(movlr sample --help lists the options)")
    sentence = str(told.value)
    assert part in sentence and "\n" not in sentence and not set(sentence) & set("│╭─") and "--- " not in sentence


def test_config_is_taken_from_anywhere() -> None:
    assert flags.take_config(["a", "--config", "x.yaml", "--b"]) == (Path("x.yaml"), ["a", "--b"])
    assert flags.take_config(["--config=x.yaml"]) == (Path("x.yaml"), [])
    assert flags.take_config(["a"]) == (None, ["a"])
    with pytest.raises(MovlrError, match="needs a file"):
        flags.take_config(["--config"])


def test_a_flag_given_twice_keeps_all_its_values() -> None:
    many = (("--rewards", "--reward"), ("--seeds",))
    words = ["--reward", "a", "--json", "--rewards=b", "--seeds", "1", "--reward", "c", "d", "--out", "x"]
    assert flags.gather(words, *many) == ["--reward", "a", "b", "c", "d", "--json", "--seeds", "1", "--out", "x"]
    assert flags.gather(["FILE", "--seeds", "1", "2"], *many) == ["FILE", "--seeds", "1", "2"]
    assert flags.gather([], *many) == []


@pytest.mark.parametrize("film", [False, True])
def test_a_switch_can_be_set_either_way_whatever_holds_without_it(film: bool) -> None:
    default = Sample(Path("a"), film=film)
    assert flags.parse(Sample, ["b"], "sample", default).film is film
    assert flags.parse(Sample, ["b", "--film"], "sample", default).film
    assert not flags.parse(Sample, ["b", "--no-film"], "sample", default).film


def test_a_mistake_of_a_verb_of_two_words_names_both() -> None:
    with pytest.raises(MovlrError, match=r"\(movlr sample show --help lists the options\)"):
        flags.parse(Sample, [], "sample show")


# What the words after a verb are, as its help begins.
USAGE = {
    "sweep": "usage: movlr sweep [-h] [OPTIONS] FILE",
    "prompt": "usage: movlr prompt [list | show] [OPTIONS]",
    "prompt show": "usage: movlr prompt show [-h] [OPTIONS] FOLDER ITERATION",
    "morphologies": "usage: movlr morphologies [list | fetch | check | show] [OPTIONS]",
    "morphologies list": "usage: movlr morphologies list [-h]",
    "rollout": "usage: movlr rollout [-h] [OPTIONS] [TASK]",
}


@pytest.mark.parametrize("verb", USAGE)
def test_usage_lines_are_what_can_be_typed(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    from movlr_jax.cli.main import main

    with contextlib.suppress(SystemExit):
        assert main([*verb.split(), "--help"]) == 0
    text = capsys.readouterr().out
    first = " ".join(text.splitlines()[0].split())
    assert first.startswith(USAGE[verb].partition(" [OPTIONS]")[0])
    assert all(word in first for word in USAGE[verb].partition(" [OPTIONS]")[2].split())
    assert first.count("FILE") <= 1 and "RUN" not in first
    if verb == "rollout":
        assert "--planner.relative, --planner.no-relative" in " ".join(text.split())


def test_the_planner_that_is_named_brings_its_flags(capsys: pytest.CaptureFixture[str]) -> None:
    found = flags.parse(Options, ["stand", "--planner.name", "icem", "--planner.keep", "2", "--planner.candidates=12"], "rollout")
    assert found.planner == ICEM(keep=2, candidates=12)
    assert flags.parse(Options, ["--planner.name=cem"], "rollout", Options(planner=MPPI(candidates=9))).planner == CEM(candidates=9)
    with pytest.raises(SystemExit):
        flags.parse(Options, ["--planner.name", "cma", "--help"], "rollout")
    assert "--planner.covariance" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--planner.keep", "2"], "--planner.keep is a setting of icem, cma: name one of them by --planner.name."),
        (["--planner.name", "cem", "--planner.no-relative"], "--planner.no-relative is a setting of mppi, icem, cma, lp-mppi: name one"),
        (["--planner.name", "icme"], "There is no planner 'icme': did you mean icem? known are mppi, cem, icem, cma, lp-mppi."),
        (["--planner.name"], "A value for --planner.name is missing."),
        (["--planner.temperature", "x"], "Error parsing --planner.temperature: could not convert string to float: 'x'."),
        (["--planner.kep", "2"], "There is no option --planner.kep"),
    ],
)
def test_a_setting_of_another_planner_is_refused_with_its_name(words: list[str], sentence: str) -> None:
    with pytest.raises(MovlrError) as refused:
        flags.parse(Options, words, "rollout")
    assert str(refused.value).startswith(sentence)
