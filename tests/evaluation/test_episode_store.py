"""The folder of episodes: keys, other processes, damage, what a killed writer leaves, the one file of earlier versions."""

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


def test_two_processes_share_a_folder_and_a_dead_one_lets_go(tmp_path: Path) -> None:
    path = tmp_path / "episodes"
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


def test_what_an_earlier_version_kept_in_one_file_is_read_and_left_as_it_is(tmp_path: Path) -> None:
    old = {"versions": {"mujoco": "3"}, "episodes": {"a name of old": {"seed": 7}, key_of(BY): {"seed": 1}}}
    path = tmp_path / "walks.json"
    path.write_text(json.dumps(old))
    with EpisodeStore(tmp_path / "walks") as store:
        assert store.episodes() == old["episodes"] and not (tmp_path / "walks").exists()
        store.add({key_of(BY): {"seed": 2}})  # measured anew: the later record counts
    assert EpisodeStore(tmp_path / "walks").episodes() == {"a name of old": {"seed": 7}, key_of(BY): {"seed": 2}}
    assert json.loads(path.read_text()) == old


def test_what_a_kill_left_goes_when_nobody_else_is_there(tmp_path: Path) -> None:
    folder = tmp_path / "episodes"
    folder.mkdir()
    (folder / f".unfinished-12345-{key_of(BY)}.json").write_text("{")
    neighbour = subprocess.Popen([sys.executable, "-c", NEIGHBOUR, str(folder)], stdout=subprocess.PIPE, text=True)
    try:
        assert neighbour.stdout is not None and neighbour.stdout.readline() == "claimed\n" and neighbour.stdout.readline() == "added\n"
        assert not list(folder.glob(".unfinished*"))
        (folder / f".unfinished-54321-{key_of(BY)}.json").write_text("{")  # may be what the neighbour is writing
        with EpisodeStore(folder) as store:
            store.add({key_of(BY): {"seed": 1}})
            assert list(folder.glob(".unfinished*"))
        neighbour.kill()
        neighbour.wait()
        with EpisodeStore(folder) as store:
            assert store.claim(key_of(BY)) and not list(folder.glob(".unfinished*"))
            assert store.episodes()[key_of(BY)] == {"seed": 1} and len(store.episodes()) == 21
    finally:
        neighbour.kill()
        neighbour.wait()
        assert neighbour.stdout is not None
        neighbour.stdout.close()


def test_a_record_written_anew_is_read_anew(tmp_path: Path) -> None:
    with EpisodeStore(tmp_path / "episodes") as store:
        store.add({key_of(BY): {"seed": 1}})
        store.episodes()[key_of(BY)]["seed"] = 5  # a caller's change is the caller's
        assert store.episodes() == {key_of(BY): {"seed": 1}}
        (tmp_path / "episodes" / f"{key_of(BY)}.json").write_text('{"seed": 10}')
        assert store.episodes() == {key_of(BY): {"seed": 10}}


@pytest.mark.parametrize("text", ["{", "[]", '{"episodes": 3}', "{}", '{"episodes": {"a": {"fell": "no"}}}'])
def test_a_damaged_file_is_named_and_left_alone(tmp_path: Path, text: str) -> None:
    path = tmp_path / "episodes.json"
    path.write_text(text)
    with pytest.raises(MovlrError, match=r"episodes\.json holds no episodes"):
        EpisodeStore(tmp_path / "episodes")
    assert path.read_text() == text


@pytest.mark.parametrize("text", ["{", "[]", '{"fell": "no"}', '{"decided_by": 3}', '{"seed": NaN}', "[" * 300 + "]" * 300])
def test_a_damaged_record_is_named_and_left_alone(tmp_path: Path, text: str) -> None:
    path = tmp_path / "episodes" / f"{key_of(BY)}.json"
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(MovlrError, match=rf"{path.name} holds no episodes"):
        EpisodeStore(path.parent)
    assert path.read_text() == text


def test_links_are_refused(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "linked").symlink_to(elsewhere)
    with pytest.raises(MovlrError, match="linked is a link"):
        EpisodeStore(tmp_path / "linked")
    secret = tmp_path / "secret.json"
    secret.write_text('{"seed": 1}')
    folder = tmp_path / "episodes"
    folder.mkdir()
    (folder / f"{key_of(BY)}.json").symlink_to(secret)
    with pytest.raises(MovlrError, match="holds no episodes"):
        EpisodeStore(folder)
    (folder / f"{key_of(BY)}.json").unlink()
    (folder / ".lock").symlink_to(tmp_path / "made")
    with EpisodeStore(folder) as store, pytest.raises(MovlrError, match="no lock file"):
        store.add({key_of(BY): {"seed": 1}})
    assert not (tmp_path / "made").exists() and not list(elsewhere.iterdir())
