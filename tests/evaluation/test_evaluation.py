"""Evaluation on the real body: what decides an episode, going on after a kill, refusals as rows, the transfer matrix."""

from __future__ import annotations

import dataclasses
import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from movlr_jax import tasks
from movlr_jax.control.episode_config import EpisodeSettings
from movlr_jax.control.laws import LAWS
from movlr_jax.control.planners import MPPI
from movlr_jax.errors import MovlrError
from movlr_jax.evaluation import reward_texts, transfer, work_items
from movlr_jax.evaluation.episode_store import EpisodeStore
from movlr_jax.evaluation.evaluation import evaluate
from movlr_jax.evaluation.reward_texts import RewardText
from movlr_jax.evaluation.work_items import Row, Watcher, Work
from movlr_jax.morphologies import catalog

QUICK = EpisodeSettings(seeds=(0, 1), seconds=0.1, planner=MPPI(candidates=8, elites=2, instant=2, horizon=0.08), threads=1)
STAND, WALK = tasks.get("stand"), tasks.get("walk_flat")
NO_SUCH_LANDMARK = 'WEIGHTS = {"hand": 1.0}\n\n\ndef terms(m):\n    return {"hand": m.left.hand.height}\n'

KILLED = """
import os, signal, sys
from pathlib import Path
from evaluation.test_evaluation import QUICK, STAND, EpisodeStore, Watcher, evaluate, work_items

class Killer(Watcher):
    def advanced(self, t):
        if self.seeds == [1] and t > 0.05:
            os.kill(os.getpid(), signal.SIGKILL)

    def began(self, work, seeds, seconds):
        self.seeds = seeds

with EpisodeStore(Path(sys.argv[1])) as store:
    evaluate(work_items.combinations(["start"], [STAND], ["myolegs"]), QUICK, store, watcher=Killer())
"""


class Counter(Watcher):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.there = self.wanted = self.ran = 0
        self.reasons: list[str] = []

    def found(self, there: int, wanted: int) -> None:
        self.there, self.wanted = there, wanted

    def measured(self, work, record) -> None:  # type: ignore[no-untyped-def]
        self.ran += 1

    def refused(self, work, reason: str) -> None:  # type: ignore[no-untyped-def]
        self.reasons.append(reason)


def measured(path: Path, works, settings: EpisodeSettings = QUICK):  # type: ignore[no-untyped-def]
    counter = Counter()
    with EpisodeStore(path) as store:
        return evaluate(works, settings, store, watcher=counter), counter


@pytest.fixture(scope="module")
def stored(tmp_path_factory) -> Path:  # type: ignore[no-untyped-def]
    """Episodes of the start reward, standing, seeds 0 and 1; the process that ran them was killed in the second."""
    path = tmp_path_factory.mktemp("eval") / "episodes"
    ran = subprocess.run([sys.executable, "-c", KILLED, str(path)], capture_output=True, text=True)
    assert ran.returncode == -signal.SIGKILL, ran.stderr
    return path


def test_a_killed_evaluation_goes_on_where_it_was(stored: Path) -> None:
    start = work_items.combinations(["start"], [STAND], ["myolegs"])
    (row,), counter = measured(stored, start)
    assert (counter.there, counter.wanted, counter.ran) == (1, 2, 1)
    assert [e["seed"] for e in row.episodes] == [0, 1] and row.document()["falls"] == 0
    (again,), counter = measured(stored, start)
    assert (counter.there, counter.ran) == (2, 0) and again.document() == row.document()


def test_an_injury_is_another_episode_and_stands_in_the_row(stored: Path) -> None:
    start, injury = work_items.combinations(["start"], [STAND], ["myolegs"]), ("soleus_*=0",)
    (whole,), _ = measured(stored, start)
    (row,), counter = measured(stored, start, dataclasses.replace(QUICK, injury=injury))
    assert (counter.there, counter.ran) == (0, 2) and row.document()["injury"] == list(injury) and "injury" not in whole.document()
    assert row.document()["mean"]["effort"] != whole.document()["mean"]["effort"]
    (refused,), counter = measured(stored, start, dataclasses.replace(QUICK, injury=("soleuz_*=0",)))
    assert refused.refused == counter.reasons[0] and "soleuz" in refused.refused


def test_strengths_are_rows_and_the_episodes_of_the_separately_injured_bodies(tmp_path: Path) -> None:
    settings = dataclasses.replace(QUICK, seeds=(0,), injury=("gas*_r=0.5", "soleus_*"))
    works = work_items.at_strengths(work_items.combinations(["start"], [STAND], ["myolegs"]), (0.0, 0.3))
    rows, counter = measured(tmp_path / "together", works, settings)
    assert (counter.there, counter.ran) == (0, 2) and [row.document()["strength"] for row in rows] == [0.0, 0.3]
    assert rows[1].document()["injury"] == ["gas*_r=0.5", "soleus_*=0.3"]
    again, counter = measured(tmp_path / "together", works, settings)
    assert (counter.there, counter.ran) == (2, 0) and [row.document() for row in again] == [row.document() for row in rows]
    # By itself, the injured body has the same episode, under the same key.
    alone, apart = (
        work_items.combinations(["start"], [STAND], ["myolegs"]),
        dataclasses.replace(settings, injury=("gas*_r=0.5", "soleus_*=0.3")),
    )
    (found,), counter = measured(tmp_path / "together", alone, apart)
    assert (counter.there, counter.ran) == (1, 0)
    (ran,), counter = measured(tmp_path / "apart", alone, apart)
    assert counter.ran == 1 and ran.episodes == found.episodes == rows[1].episodes != rows[0].episodes


def test_other_parameters_are_other_episodes_of_one_artifact(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = 'PARAMETERS = {"tall": (0.9, 0.5, 1.0)}\nWEIGHTS = {"height": 1.0}\n\n\ndef terms(m):\n    return {"height": HEIGHT}\n'
    text = RewardText("declared", source.replace("HEIGHT", "-below(m.pelvis.height, m.parameters.tall)"))
    proofs = []
    compiled = reward_texts.compiled
    monkeypatch.setattr(reward_texts, "compiled", lambda *args, **more: proofs.append(args) or compiled(*args, **more))
    works = [Work(text, name, STAND, "myolegs", parameters=values) for name, values in (("own", {}), ("same", {"tall": 0.9}))]
    works.append(Work(text, "other", STAND, "myolegs", parameters={"tall": 0.6}))
    rows, counter = measured(tmp_path / "episodes", works)
    assert len(proofs) == 1 and counter.ran == 4 and rows[0].episodes == rows[1].episodes
    decided = [json.loads(path.read_text())["decided_by"] for path in (tmp_path / "episodes").glob("*.json")]
    assert sorted(str(by.get("parameters")) for by in decided) == ["None", "None", "{'tall': 0.6}", "{'tall': 0.6}"]
    assert len({by["reward_sha256"] for by in decided}) == 1
    assert rows[2].document()["parameters"] == {"tall": 0.6} and "parameters" not in rows[0].document()


def test_every_setting_makes_another_episode(stored: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    start = work_items.combinations(["start"], [STAND], ["myolegs"])
    measured(stored, start)
    by = json.loads(next(stored.glob("*.json")).read_text())["decided_by"]
    assert {"task", "morphology", "model_sha256", "reward_sha256", "seed", "seconds", "goal_speed_mps", "engine"} <= set(by)
    assert by["planner"]["gain"] and by["planner"]["law"] != "auto" and by["versions"]["mujoco"]
    # Only looked up, not run: the seeds differ from those stored in nothing but the named setting.
    found = {
        "same": QUICK,
        "threads": dataclasses.replace(QUICK, threads=2),
        "seconds": dataclasses.replace(QUICK, seconds=0.12),
        "speed": dataclasses.replace(QUICK, goal_speed=0.3),
        "horizon": dataclasses.replace(QUICK, planner=dataclasses.replace(QUICK.planner, horizon=0.09)),
    }

    class Looked(Exception):
        pass

    class Look(Watcher):
        def found(self, there: int, wanted: int) -> None:
            raise Looked(there)

    def stored_of(settings: EpisodeSettings) -> int:
        with EpisodeStore(stored) as store, pytest.raises(Looked) as looked:
            evaluate(start, settings, store, watcher=Look())
        return int(looked.value.args[0])

    there = {name: stored_of(settings) for name, settings in found.items()}
    assert there == {"same": 2, "threads": 2, "seconds": 0, "speed": 0, "horizon": 0}
    # What another package adds may do something else in its next version.
    monkeypatch.setattr(LAWS, "package", lambda name: "movlr-example 1.0")
    assert stored_of(QUICK) == 0


def test_what_a_body_cannot_take_is_a_row(stored: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "hand.py"
    file.write_text(NO_SUCH_LANDMARK)
    monkeypatch.setenv("MOVLR_MODELS_PATH", str(tmp_path))
    monkeypatch.setenv("MOVLR_CACHE", str(tmp_path))
    catalog._prepared.cache_clear()  # bodies that an earlier test of this process has loaded
    works = [
        *work_items.combinations(["start", str(file)], [STAND], ["myolegs"]),
        *work_items.combinations(["human", "straight"], [STAND, WALK], ["ms-human-700"]),
    ]
    rows, counter = measured(stored, works)
    assert [bool(row.episodes) for row in rows] == [True, False, False, False, False, False]
    assert "there is no attribute hand" in rows[1].refused and "refused for myolegs" in rows[1].refused
    assert "was not found" in rows[2].refused and "ms_human_700" in rows[3].refused
    assert "stand has no reward 'straight'" in rows[4].refused
    assert rows[1].document()["refused"] == rows[1].refused and len(counter.reasons) == 5


@pytest.mark.parametrize(
    ("asked", "bodies", "said"),
    [(["humna"], (), "did you mean human?"), (["human"], ("myoleg",), "did you mean myolegs?"), (["."], (), "holds no reward")],
)
def test_a_word_for_nothing_stops_at_once(asked, bodies, said) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(MovlrError, match=said):
        work_items.combinations(asked, [STAND, WALK], bodies)


@pytest.mark.parametrize(
    ("changed", "said"),
    [({"seeds": ()}, "at least one number"), ({"seeds": (1, 1)}, "repeats"), ({"seeds": (-1,)}, "negative"), ({"seconds": -1.0}, "-1")],
)
def test_settings_that_no_episode_can_have(changed, said) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(MovlrError, match=said):
        EpisodeSettings(**changed)


def test_a_text_that_tasks_share_is_one_reward_of_a_transfer() -> None:
    texts = transfer.rewards([WALK, tasks.get("ostrich_walk")], ["human", "stride"])
    assert [(t.name, t.origin) for t in texts] == [("human", "walk_flat"), ("human", "ostrich_walk"), ("stride", "walk_flat, ostrich_walk")]


def test_transfer_takes_one_text_to_every_place(stored: Path, tmp_path: Path) -> None:
    texts = transfer.rewards([WALK, STAND], ["start"])
    assert [(t.name, t.origin) for t in texts] == [("start", "walk_flat"), ("start", "stand")]
    places = transfer.places([WALK, STAND])
    assert [(task.name, body) for task, body in places] == [("walk_flat", "myolegs"), ("stand", "myolegs")]
    rows, _ = measured(stored, transfer.works(texts, places), dataclasses.replace(QUICK, seeds=(0,)))
    matrix = transfer.Matrix("distance_m", texts, places, rows)
    mean, _ = matrix.values()
    # The diagonal is what an ordinary evaluation gives; off it, the other task's text moves the body otherwise.
    alone, counter = measured(stored, work_items.combinations(["start"], [WALK, STAND]), dataclasses.replace(QUICK, seeds=(0,)))
    assert counter.ran == 0
    assert mean[0, 0] == alone[0].episodes[0]["distance_m"] and mean[1, 1] == alone[1].episodes[0]["distance_m"]
    assert mean[0, 0] != mean[1, 0] and mean[0, 1] != mean[1, 1]
    document = matrix.document()
    assert document["cells"][1]["reward_from"] == "walk_flat" and document["cells"][1]["task"] == "stand"
    assert matrix.draw(tmp_path / "t.png").stat().st_size > 5000
    with pytest.raises(MovlrError, match="did you mean distance_m"):
        transfer.Matrix("distnce_m", texts, places, rows)


def test_a_matrix_has_a_column_a_strength() -> None:
    texts, places, strengths = transfer.rewards([WALK], ["start", "human"]), transfer.places([WALK], ["myolegs"]), (0.0, 0.5)
    works = work_items.at_strengths(transfer.works(texts, places), strengths)
    episode = {"seed": 0, "fell": False}
    rows = [Row(w, "native", 1.0, 0.8, ({**episode, "distance_m": 10.0 * (w.name == "human") + (w.strength or 0.0)},)) for w in works]
    matrix = transfer.Matrix("distance_m", texts, places, rows, strengths)
    assert matrix.values()[0].tolist() == [[0.0, 0.5], [10.0, 10.5]]
    assert matrix.document()["columns"][1] == {"task": "walk_flat", "morphology": "myolegs", "strength": 0.5}
    headings, cells = matrix.table()
    assert headings[-1] == "walk_flat\nmyolegs\nstrength 0.5" and cells[1][-2:] == ["10.00", "10.50"]


def test_an_early_end_is_called_what_the_task_calls_it() -> None:
    def row(task: str, *records: dict[str, object]) -> Row:
        return Row(work_items.Work(None, "human", tasks.get(task), ""), "native", 1.0, 0.8, records)

    fallen, held = {"seed": 1, "fell": True}, {"seed": 1, "fell": False, "dropped": False}
    assert row("walk_flat", fallen, {"seed": 2, "fell": False}).early_ends() == "1 of 2 fell"
    assert row("cube_rotate", held, held | {"dropped": True}, held).early_ends() == "1 of 3 dropped"
    assert row("cube_rotate", held).early_ends() == "" == row("walk_flat").early_ends()
