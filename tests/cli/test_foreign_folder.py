"""A run, a configuration or a sweep made by someone else sends neither keys nor clips to a server of their choosing."""

from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.openai_server import OpenAIServer

from movlr_jax.cli.main import main

pytest.importorskip("openai", reason="openai is not installed")
KEY = "sk-planted-0123456789abcdef"
TINY = ["--seconds", "0.1", "--planner.candidates", "16", "--planner.horizon", "0.1", "--threads", "1", "--engine", "native"]


@pytest.fixture
def foreign(monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenAIServer]:
    """A recording server that is found under another machine's name, at `foreign.named`."""
    real = socket.getaddrinfo

    def find(host: Any, *more: Any, **others: Any) -> Any:
        return real("127.0.0.1" if host in ("models.example", b"models.example") else host, *more, **others)

    monkeypatch.setattr(socket, "getaddrinfo", find)
    with OpenAIServer("No program today.") as server:
        server.named = server.url.replace("127.0.0.1", "models.example")  # type: ignore[attr-defined]
        yield server


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the start reward alone, as someone else made it."""
    folder = tmp_path_factory.mktemp("theirs") / "run"
    assert main(["run", "stand", "--iterations", "0", *TINY, "--out", str(folder)]) == 0
    return folder


def shared(made: Path, tmp_path: Path, **values: Any) -> Path:
    """Return a copy of their run whose configuration has other values."""
    folder = tmp_path / "shared"
    shutil.copytree(made, folder, symlinks=True)
    config = yaml.safe_load((folder / "config.yaml").read_text())
    models = {**config.get("models", {}), **values.pop("models", {})}
    (folder / "config.yaml").write_text(yaml.safe_dump({**config, "iterations": 1, **values, "models": models}))
    return folder


def at(url: str, role: str = "writer", **more: Any) -> dict[str, Any]:
    return {role: "openai", "models": {f"{role}_url": url, f"{role}_model": "tiny", "retries": 0, "timeout_s": 5.0, **more}}


@pytest.mark.gl
@pytest.mark.parametrize("key", [KEY, ""], ids=["with a key", "without a key"])
@pytest.mark.parametrize("role", ["writer", "critic"])
def test_a_shared_folder_gets_neither_key_nor_clips(role, key, made, foreign, tmp_path, monkeypatch, capsys):
    if key:
        monkeypatch.setenv("OPENAI_API_KEY", key)
    folder = shared(made, tmp_path, **at(foreign.named, role))
    before = (folder / "config.yaml").read_bytes()
    assert main(["resume", str(folder)]) == 1
    said = capsys.readouterr().err
    assert f"config.yaml names {foreign.named} for the {role}" in said and f"add --allow {foreign.named}" in said
    assert ("OPENAI_API_KEY" in said) == bool(key) and "A defect" not in said and KEY not in said
    assert foreign.seen == [] and (folder / "config.yaml").read_bytes() == before


@pytest.mark.gl
def test_it_goes_on_once_allowed_and_the_same_user_is_asked_once(made, foreign, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    folder = shared(made, tmp_path, **at(foreign.named), attempts=1)
    assert main(["resume", str(folder), "--allow", foreign.named]) == 0, capsys.readouterr().err
    assert foreign.seen[0].headers["authorization"] == f"Bearer {KEY}"
    foreign.seen.clear()
    assert main(["resume", str(folder), "--iterations", "2"]) == 0, capsys.readouterr().err
    assert foreign.seen and not [path for path in folder.rglob("*") if path.is_file() and b"allowed" in path.name.encode()]


@pytest.mark.gl
def test_a_run_whose_server_was_given_on_the_command_line_is_resumed_without_a_word(foreign, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    words = ["--writer", "openai", "--models.writer-url", foreign.named, "--models.writer-model", "tiny", "--attempts", "1"]
    folder = tmp_path / "mine"
    assert main(["run", "stand", "--iterations", "1", *TINY, *words, "--out", str(folder)]) == 0, capsys.readouterr().err
    foreign.seen.clear()
    assert main(["resume", str(folder), "--iterations", "2"]) == 0, capsys.readouterr().err
    assert foreign.seen and foreign.seen[0].headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.gl
def test_a_configuration_file_is_asked_without_a_key_and_with_one_after_a_word(foreign, tmp_path, monkeypatch, capsys):
    file = tmp_path / "theirs.yaml"
    file.write_text(yaml.safe_dump({"task": "stand", "iterations": 1, "attempts": 1, **at(foreign.named)}))
    command = ["run", "--config", str(file), *TINY]
    assert main([*command, "--out", str(tmp_path / "keyless")]) == 0, capsys.readouterr().err
    assert foreign.seen and not any(KEY in str(seen.headers) for seen in foreign.seen)
    assert main(["resume", str(tmp_path / "keyless"), "--iterations", "2"]) == 0, capsys.readouterr().err
    foreign.seen.clear()
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    for words in ([*command, "--out", str(tmp_path / "refused")], ["resume", str(tmp_path / "keyless"), "--iterations", "3"]):
        capsys.readouterr()
        assert main(words) == 1
        said = capsys.readouterr().err
        assert f"{foreign.named} for the writer" in said and "your key OPENAI_API_KEY would be sent" in said and "--allow" in said
    assert foreign.seen == [] and not (tmp_path / "refused").exists()
    assert main([*command, "--out", str(tmp_path / "allowed"), f"--allow={foreign.named}"]) == 0, capsys.readouterr().err
    assert foreign.seen[0].headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.gl
def test_a_replay_asks_nobody_and_allows_nothing(made, foreign, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    folder = shared(made, tmp_path, **at(foreign.named))
    assert main(["replay", str(folder), "--out", str(tmp_path / "again")]) == 0, capsys.readouterr().err
    assert main(["resume", str(folder)]) == 1 and main(["resume", str(tmp_path / "again"), "--iterations", "1"]) == 1
    assert foreign.seen == []


@pytest.mark.gl
def test_a_cache_outside_the_folder_is_neither_read_nor_written(made, tmp_path, capsys):
    cache = tmp_path / "for all to read"
    folder = shared(made, tmp_path, models={"cache": str(cache)})
    assert main(["resume", str(folder)]) == 1
    assert f"add --allow '{cache}'" in capsys.readouterr().err and not cache.exists()
    assert main(["resume", str(folder), "--allow", str(cache)]) == 0, capsys.readouterr().err


def test_the_doctor_says_so_and_asks_nobody(foreign, tmp_path, monkeypatch, capsys):
    from movlr_jax.cli import doctor
    from movlr_jax.searches import RunConfig

    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    (check,) = doctor.services(RunConfig.from_values(at(foreign.named)))
    assert check.state == "warning" and f"add --allow {foreign.named}" in check.detail and foreign.seen == []


def sweep_file(tmp_path: Path, url: str) -> Path:
    file = tmp_path / "sweep.yaml"
    base = {"task": "stand", "iterations": 1, "attempts": 1, "seconds": 0.1, "engine": "native", **at(url)}
    base["planner"] = {"candidates": 16, "horizon": 0.1}
    file.write_text(yaml.safe_dump({"name": "theirs", "out": str(tmp_path / "out"), "base": base, "grid": {"seed": [0, 1]}}))
    return file


@pytest.mark.parametrize("on", ["here", "wandb", "slurm"])
def test_a_sweep_is_refused_before_its_first_trial(on, foreign, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    assert main(["sweep", str(sweep_file(tmp_path, foreign.named)), "--on", on]) == 1
    assert f"add --allow {foreign.named}" in capsys.readouterr().err
    assert foreign.seen == [] and not (tmp_path / "out").exists()


@pytest.mark.gl
def test_the_trials_of_a_sweep_that_was_allowed_ask(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with OpenAIServer("No program today.", key=KEY) as server:  # the trials' processes know no other name of this machine
        file = sweep_file(tmp_path, server.url)
        assert main(["sweep", str(file), "--on", "here", "--allow", server.url]) == 0, capsys.readouterr().err
        assert len(server.asked) >= 2 and all(seen.headers["authorization"] == f"Bearer {KEY}" for seen in server.seen)


def test_a_trial_of_someone_elses_sweep_folder_is_refused(foreign, tmp_path, monkeypatch, capsys):
    from movlr_jax.sweeps import definition, plan

    made = plan.make(definition.read(sweep_file(tmp_path, foreign.named)))
    made.out.mkdir()
    made.save()
    assert main(["trial", str(made.out), "0"]) == 1
    ended = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert f"plan.json names {foreign.named} for the writer" in ended["sentence"] and foreign.seen == []
