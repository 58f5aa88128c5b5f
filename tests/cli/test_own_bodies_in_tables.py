"""Tables call a body of one's own by its name, not by the path of its file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from movlr_jax import morphologies
from movlr_jax.cli.main import main
from movlr_jax.errors import MovlrError

TINY = ["--seconds", "0.05", "--planner.candidates", "4", "--planner.horizon", "0.05", "--threads", "1", "--engine", "native"]


def test_eval_and_transfer_name_the_body(own_body, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    body, out = str(own_body()), tmp_path / "out"
    assert main(["eval", "--rewards", "start", "human", "--tasks", "stand", "--morphology", body, "--out", str(out), *TINY]) == 0
    captured = capsys.readouterr()
    assert "my-biped" in captured.out and body not in captured.out and body not in captured.err
    assert body not in (out / "eval.md").read_text()
    row = json.loads((out / "eval.json").read_text())["rows"][0]
    assert (row["morphology"], row["morphology_file"]) == ("my-biped", body)
    words = ["--rewards", "start", "--from", "stand", "--to", "stand", "--morphology", body]
    assert main(["transfer", *words, "--out", str(out), *TINY]) == 0
    captured = capsys.readouterr()
    assert "my-biped" in captured.out and body not in captured.out
    assert main(["ablate", "start", "--task", "stand", "--factors", "0.5", "--morphology", body, "--out", str(out), *TINY]) == 0
    captured = capsys.readouterr()
    assert "my-biped" in captured.out and body not in captured.out


def test_two_bodies_of_one_name_are_refused(own_body, tmp_path: Path) -> None:
    body = own_body()
    other = tmp_path / "other.yaml"
    other.write_text(body.read_text())
    morphologies.require_distinct([str(body), str(body), "myolegs"])
    with pytest.raises(MovlrError, match=f"{body} and {other} are both named my-biped"):
        morphologies.require_distinct([str(body), str(other)])


def test_what_a_body_is_called(own_body, tmp_path: Path) -> None:
    assert morphologies.called("myolegs") == "myolegs" and morphologies.called(str(own_body())) == "my-biped"
    assert morphologies.called(str(tmp_path / "gone.yaml")) == "gone"
