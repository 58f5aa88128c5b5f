"""The file of episodes: keys, other processes, damage, what a killed writer leaves."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from movlr_jax.errors import MovlrError
from movlr_jax.evaluation.episode_store import EpisodeStore, key_of

BY = {"task": "stand", "seed": 1, "planner": {"horizon": 0.35, "gain": None}}

NEIGHBOUR = """
import sys, time
from pathlib import Path
from movlr_jax.evaluation.episode_store import EpisodeStore, key_of

with EpisodeStore(Path(sys.argv[1])) as store:
    assert store.claim(key_of({"mine": 0}))
    print("claimed", flush=True)
    for i in range(20):
        store.add({key_of({"neighbour": i}): {"seed": i}})
    print("added", flush=True)
    time.sleep(600)
"""


def test_a_key_depends_on_every_value_and_on_nothing_else() -> None:
    assert key_of(BY) == key_of(dict(reversed(BY.items()))) == key_of(json.loads(json.dumps(BY)))
    others = [{**BY, "seed": 2}, {**BY, "task": "walk_flat"}, {**BY, "planner": {"horizon": 0.3, "gain": None}}, {**BY, "more": 0}]
    assert len({key_of(by) for by in [BY, *others]}) == 5


def test_two_processes_share_a_file_and_a_dead_one_lets_go(tmp_path: Path) -> None:
    path = tmp_path / "episodes.json"
    neighbour = subprocess.Popen([sys.executable, "-c", NEIGHBOUR, str(path)], stdout=subprocess.PIPE, text=True)
    try:
        assert neighbour.stdout is not None and neighbour.stdout.readline() == "claimed\n"
        with EpisodeStore(path) as store:
            for i in range(20):
                store.add({key_of({"here": i}): {"seed": i}})
            assert not store.claim(key_of({"mine": 0})) and store.claim(key_of({"mine": 1}))
            assert neighbour.stdout.readline() == "added\n"
            assert set(store.episodes()) == {key_of({who: i}) for who in ("here", "neighbour") for i in range(20)}
            neighbour.kill()
            neighbour.wait()
            assert store.claim(key_of({"mine": 0}))
    finally:
        neighbour.kill()
        neighbour.wait()
        assert neighbour.stdout is not None
        neighbour.stdout.close()


def test_what_else_the_file_holds_stays_and_what_a_kill_left_goes(tmp_path: Path) -> None:
    path = tmp_path / "walks.json"
    path.write_text(json.dumps({"versions": {"mujoco": "3"}, "episodes": {"a name of old": {"seed": 7}}}))
    (tmp_path / ".unfinished-12345-walks.json").write_text("{")
    with EpisodeStore(path) as store:
        store.add({key_of(BY): {"seed": 1}})
    saved = json.loads(path.read_text())
    assert saved == {"versions": {"mujoco": "3"}, "episodes": {"a name of old": {"seed": 7}, key_of(BY): {"seed": 1}}}
    assert sorted(p.name for p in tmp_path.iterdir()) == [".walks.json.lock", "walks.json"]


@pytest.mark.parametrize("text", ["{", "[]", '{"episodes": 3}', "{}"])
def test_a_damaged_file_is_named_and_left_alone(tmp_path: Path, text: str) -> None:
    path = tmp_path / "episodes.json"
    path.write_text(text)
    with pytest.raises(MovlrError, match=r"episodes\.json is not a file of episodes"):
        EpisodeStore(path)
    assert path.read_text() == text
