"""movlr train and movlr rollout --policy: a small body of one's own, trained, resumed, moved; what is said to bad input."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from movlr_jax import tasks, typed_yaml
from movlr_jax.cli.main import main
from movlr_jax.cli.train import configure
from movlr_jax.learning.rl.config import PpoConfig, TrainConfig

QUICK = ["--worlds", "4", "--steps", "16", "--seconds", "0.2", "--starts", "2", "--eval-seeds", "7", "--clip-every", "0"]
QUICK += ["--ppo.unroll", "2", "--ppo.minibatches", "2", "--ppo.epochs", "1", "--ppo.policy-layers", "8", "--ppo.value-layers", "8"]


def test_a_policy_is_trained_resumed_and_moves_the_body(own_body, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:  # type: ignore[no-untyped-def]
    pytest.importorskip("warp", reason="warp-lang is not installed")
    pytest.importorskip("brax", reason="brax is not installed")
    out, body = tmp_path / "training", str(own_body())
    assert main(["train", "stand", "--reward", "start", "--morphology", body, "--out", str(out), *QUICK]) == 0
    told = capsys.readouterr().out
    assert told.startswith("stand on my-biped, policy after 2 updates") and f"movlr rollout --policy {out}" in told
    assert sorted(p.name for p in out.iterdir() if p.name[0] != ".") == [
        "checkpoints",
        "config.yaml",
        "evaluations",
        "metrics.jsonl",
        "reward.py",
        "run.json",
    ]
    assert main(["train", "--resume", str(out), "--steps", "24"]) == 0
    assert "after 3 updates" in capsys.readouterr().out
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    assert [line["iteration"] for line in lines] == [0, 2, 3] and {"reward", "term/head_height", "loss/v_loss"} <= set(lines[-1])
    assert lines[-1]["evaluation/seconds"] == pytest.approx(0.2) and lines[-1]["steps"] == 24.0

    assert main(["rollout", "--policy", str(out), "--seeds", "7", "--seconds", "0.2", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["task"], document["morphology"], document["engine"], document["reward"]) == ("stand", "my-biped", "native", "start")
    assert document["policy"] == str(out) and document["falls"] == 0
    evaluated = json.loads((out / "evaluations" / "000003" / "metrics.json").read_text())["episodes"][0]
    evaluated.pop("mean_reward")
    assert document["episodes"] == [evaluated]

    for words, part in (
        (["train", "--resume", str(tmp_path)], "holds no training"),
        (["train", "stand", "--out", str(out)], "go on with `movlr train --resume"),
        (["rollout", "--policy", str(tmp_path)], "holds no training"),
        (["rollout", "--policy", str(out / "checkpoints" / "9")], "There is no checkpoint 9"),
        (["rollout", "--policy", str(out), "--morphology", "myolegs"], "The policy excites 4 muscles, and myolegs has 80."),
    ):
        assert main(words) == 1
        said = capsys.readouterr().err
        assert part in said and said.count("\n") == 1, said


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["wlak_flat"], "did you mean walk_flat?"),
        (["stand", "--reward", "humna"], "did you mean human?"),
        (["stand", "--engine", "native"], "train on warp or jax"),
        (["stand", "--worlds", "7"], "cannot be cut into 8 minibatches"),
        (["stand", "--actions", "group"], "'groups'"),
        (["stand", "--config", "no/such.yaml"], "no/such.yaml"),
        (["stand", "--distil.updates", "0"], "distil.updates is 0"),
        (["stand", "--distil.rollouts", "no.npz"], "no.npz: name a rollout.npz"),
    ],
)
def test_mistakes_are_one_sentence(words: list[str], part: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("brax", reason="brax is not installed")
    assert main(["train", *words, "--out", str(tmp_path / "t")]) == 1
    captured = capsys.readouterr()
    assert part in captured.err and captured.err.count("\n") == 1 and captured.out == ""
    assert not (tmp_path / "t").exists()


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ('{"run_id": "t", "task', "run.json is not JSON"),
        ('{"task": "stand", "morphology": "myolegs", "run_id": "a-search"}', "is not of a training (without group_of)"),
        ('["run_id"]', "is not of a training (without run_id)"),
        ('{"run_id": "t", "task": "stand", "morphology": "myolegs", "group_of": "0"}', "with another kind of group_of"),
    ],
)
def test_a_damaged_or_foreign_folder_is_one_sentence(text: str, part: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("brax", reason="brax is not installed")
    (tmp_path / "run.json").write_text(text)
    (tmp_path / "reward.py").write_text("WEIGHTS = {}\n")
    (tmp_path / "config.yaml").write_text("engine: jax\n")
    for words in (["train", "--resume", str(tmp_path)], ["rollout", "--policy", str(tmp_path)]):
        assert main(words) == 1
        captured = capsys.readouterr()
        assert part in captured.err and captured.err.count("\n") == 1 and captured.out == ""


@pytest.mark.parametrize("file", sorted((Path(__file__).resolve().parents[2] / "configs" / "train").glob("*.yaml")), ids=lambda f: f.stem)
def test_every_file_is_a_valid_training(file: Path) -> None:
    config = configure(["--config", str(file)])
    assert config.task == file.stem == tasks.get(config.task).name and config != TrainConfig()


def test_code_then_file_then_flags(tmp_path: Path) -> None:
    file = tmp_path / "my.yaml"
    file.write_text("task: stand\nworlds: 64\nppo: {unroll: 5, policy_layers: [32]}\n")
    want = TrainConfig(task="stand", worlds=128, ppo=PpoConfig(unroll=5, policy_layers=(32,)))
    assert configure(["--config", str(file), "--worlds", "128"]) == want
    assert typed_yaml.parse(typed_yaml.dump(want), TrainConfig) == want
