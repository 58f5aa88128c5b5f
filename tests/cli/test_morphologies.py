"""movlr morphologies: sizes of what is there, a way to get what is not."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from movlr_jax.cli.main import main
from movlr_jax.morphologies import manifest


def listed(capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, object]]:
    assert main(["morphologies", "--json"]) == 0
    return {r["name"]: r for r in json.loads(capsys.readouterr().out)["morphologies"]}


def test_the_embedded_body_is_always_there(capsys: pytest.CaptureFixture[str]) -> None:
    body = listed(capsys)["myolegs"]
    assert body["default"] and body["found"]
    assert (body["muscles"], body["degrees_of_freedom"]) == (80, 34)


def test_a_missing_body_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("MOVLR_MODELS_PATH", str(tmp_path))
    monkeypatch.setenv("MOVLR_CACHE", str(tmp_path / "cache"))
    body = listed(capsys)["ms-human-700"]
    assert "movlr morphologies fetch ms_human_700" in str(body["missing"])
    assert not body["found"] and "MOVLR_MODELS_PATH" in str(body["missing"]) and str(tmp_path) in str(body["missing"])
    assert main(["morphologies"]) == 0
    assert "MOVLR_MODELS_PATH" in capsys.readouterr().out


@pytest.mark.models
def test_sizes_of_ms_human_700(capsys: pytest.CaptureFixture[str]) -> None:
    bodies = listed(capsys)
    assert bodies["ms-human-700"]["muscles"] == 700 and bodies["ms-human-700"]["degrees_of_freedom"] == 85
    assert bodies["ms-human-700-locomotion"]["muscles"] == 100


def test_the_tables_are_quiet(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["morphologies"]) == 0 and main(["tasks"]) == 0
    captured = capfd.readouterr()
    assert "walk_flat" in captured.out and "myolegs (default)" in captured.out
    assert captured.err == ""


def test_list_is_what_no_word_does(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["morphologies"]) == 0
    plain = capsys.readouterr().out
    assert main(["morphologies", "list"]) == 0
    assert capsys.readouterr().out == plain
    assert main(["morphologies", "lst"]) == 1
    assert "did you mean list?" in capsys.readouterr().err


@pytest.fixture
def upstream(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A git repository with the model folder `ball`, known to the package by a manifest; nothing else is known or found."""
    folder = tmp_path / "upstream" / "ball"
    folder.mkdir(parents=True)
    (folder / "scene.xml").write_text('<mujoco><worldbody><body><freejoint/><geom size="0.1"/></body></worldbody></mujoco>')
    repository = folder.parent
    for words in (["init", "--quiet"], ["add", "-A"], ["-c", "user.name=t", "-c", "user.email=t@x", "commit", "--quiet", "-m", "x"]):
        subprocess.run(["git", *words], cwd=repository, check=True)
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=repository, check=True, capture_output=True, text=True).stdout.strip()
    record = {"bodies": ["ball-body"], "licence": "MIT", "repository": "http://127.0.0.1:1/none", "commit": commit}
    (tmp_path / "manifests").mkdir()
    (tmp_path / "manifests" / "ball.json").write_text(json.dumps(record | {"layouts": [manifest.survey(folder, ["scene.xml"])]}))
    monkeypatch.setattr(manifest, "FOLDER", tmp_path / "manifests")
    monkeypatch.setenv("MOVLR_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("MOVLR_MODELS_PATH", raising=False)
    return repository


def test_fetch_then_check_then_damage(upstream: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["morphologies", "check", "ball"]) == 1
    assert "movlr morphologies fetch ball" in capsys.readouterr().err
    assert main(["morphologies", "fetch", "ball-body", "ball"]) == 1  # the manifest's own repository does not answer
    assert "look to the network" in capsys.readouterr().err
    assert main(["morphologies", "fetch", "ball-body", "--repository", str(upstream)]) == 0
    said = capsys.readouterr()
    assert "verified" in said.out and "licence MIT" in said.out and "ball: fetching, 1 of 1 files" in said.err
    folder = tmp_path / "cache" / "models" / "ball"
    assert main(["morphologies", "check", "ball"]) == main(["morphologies", "check", str(folder)]) == 0
    (folder / "scene.xml").write_text("<mujoco/>")
    capsys.readouterr()
    assert main(["morphologies", "check", "ball"]) == 1
    assert "scene.xml is not the file that is known." in capsys.readouterr().out
    assert main(["morphologies", "fetch"]) == main(["morphologies", "fetch", "bal"]) == main(["morphologies", "check", "bal"]) == 1
    errors = capsys.readouterr().err.splitlines()
    assert "Name what to fetch: ball." in errors[0] and "did you mean ball?" in errors[1] and "did you mean ball?" in errors[2]


def test_check_of_the_embedded_body_and_of_ones_own(own_body: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["morphologies", "check", "myolegs", str(own_body())]) == 0
    assert capsys.readouterr().out.count("sound") == 2
    assert main(["morphologies", "check", str(own_body(planned_joints=["hip_right", "hip_left"], licence="MIT"))]) == 1
    out = capsys.readouterr().out
    assert "2 found wrong" in out and "did you mean hip_r?" in out and "did you mean hip_l?" in out


@pytest.mark.gl
def test_show_draws_a_picture(own_body: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "a.png"
    assert main(["morphologies", "show", str(own_body()), "--out", str(out)]) == 0
    assert capsys.readouterr().out.strip() == str(out) and out.read_bytes().startswith(b"\x89PNG")
    assert main(["morphologies", "show", "myoleg"]) == 1
    assert main(["morphologies", "show", str(own_body()), "--out", str(out / "below.png")]) == 1
    assert "cannot be written" in capsys.readouterr().err
