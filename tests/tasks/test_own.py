"""A user's own task: found by its file or module, run once, hashed; what is wrong with the file is one sentence with file and line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from movlr_jax import code_names, tasks
from movlr_jax.errors import MovlrError
from movlr_jax.tasks import own

HEAD = """from movlr_jax.tasks import Task

START = '''WEIGHTS = {"height": 100.0}


def terms(m):
    return {"height": -smooth_abs(m.head.height - m.standing.head_height)}
'''
"""
VALUES = 'sentence="Stand.", goal_speed=0.0, seconds=1.0, walks=False, rewards={"start": START}'
GOOD = f'{HEAD}TASK = Task(name="mine", {VALUES})\n'


def written(tmp_path: Path, text: str, name: str = "my_task.py") -> Path:
    path = tmp_path / name
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("word", "code"),
    [
        ("my_task.py", True),
        ("../a b/my_task.py:TASK", True),
        ("package.module:NAME", True),
        ("module:NAME", True),
        ("walk_flat", False),
        ("http://localhost:8000", False),
        ("localhost:8000", False),
        ("runs/a:b", False),
        ("my_task.pyc", False),
    ],
)
def test_which_words_name_code(word, code):
    assert code_names.names_code(word) == code


def test_names_are_settled_and_short(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert code_names.settled("a/../my_task.py:ONE") == f"{tmp_path}/my_task.py:ONE"
    assert code_names.settled("walk_flat") == "walk_flat" and code_names.settled("p.m:T") == "p.m:T"
    assert [code_names.label(w) for w in ("a/my task.py:ONE", "p.m:T", "stand")] == ["my-task-ONE", "m-T", "stand"]


def test_a_file_s_task_is_found_with_the_hash_of_its_code(tmp_path):
    path = written(tmp_path, GOOD)
    task = tasks.find(str(path))
    assert (task.name, task.word, task.sentence) == ("mine", str(path), "Stand.") and len(task.code_sha256) == 64
    again = tasks.find(str(path))
    assert again.code_sha256 == task.code_sha256 and again.rewards is task.rewards  # its file is not run twice
    path.write_text(GOOD.replace("Stand.", "Stay."))
    changed = tasks.find(str(path))
    assert changed.sentence == "Stay." and changed.code_sha256 != task.code_sha256
    assert tasks.get("stand").word == "stand" and tasks.get("stand").code_sha256 == ""


def test_a_body_of_one_s_own_stands_beside_the_task(tmp_path, monkeypatch):
    path = written(tmp_path, GOOD.replace("walks=False,", "walks=False, morphologies=('bodies/body.yaml', 'myolegs'),"))
    monkeypatch.chdir("/")
    assert tasks.find(str(path)).morphologies == (str(tmp_path / "bodies" / "body.yaml"), "myolegs")


def test_one_of_several_is_named(tmp_path):
    path = written(tmp_path, f'{HEAD}ONE = Task(name="one", {VALUES})\nTWO = Task(name="two", {VALUES})\n')
    assert tasks.find(f"{path}:TWO").name == "two"
    with pytest.raises(MovlrError, match=rf"several tasks: name one of them \({path}:ONE, {path}:TWO\)"):
        tasks.find(str(path))
    path.write_text(f"{HEAD}from movlr_jax.tasks.stand import TASK as STAND\nMINE = Task(name='mine', {VALUES})\n")
    assert tasks.find(str(path)).name == "mine"  # what it imports of the package is not its own


def test_a_module_s_task_is_found(tmp_path, monkeypatch):
    (tmp_path / "some_package_of_mine").mkdir()
    (tmp_path / "some_package_of_mine" / "__init__.py").touch()
    written(tmp_path / "some_package_of_mine", GOOD, "jobs.py")
    monkeypatch.syspath_prepend(str(tmp_path))
    task = tasks.find("some_package_of_mine.jobs:TASK")
    assert task.word == "some_package_of_mine.jobs:TASK" and len(task.code_sha256) == 64
    with pytest.raises(MovlrError, match=r"There is no module some_package_of_mine.job: install its package"):
        tasks.find("some_package_of_mine.job:TASK")
    written(tmp_path / "some_package_of_mine", "import some_package_of_mine.nowhere\n", "broken.py")
    with pytest.raises(MovlrError, match=r"broken.py, line 1: No module named"):
        tasks.find("some_package_of_mine.broken:TASK")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def f(:\n    pass\n", r"my_task.py, line 1: invalid syntax"),
        ("x = 1\nprint(“curly”)\n", r"line 2: invalid character '“'"),
        ("import nowhere_to_be_found\n", r"line 1: No module named 'nowhere_to_be_found': .* put what is needed into the file"),
        ("def f():\n    return 1 / 0\n\n\nf()\n", r"line 2: ZeroDivisionError: division by zero\."),
        ("import sys\nsys.exit(3)\n", r"line 2: The file ends the process"),
        ("raise KeyError\n", r"line 1: KeyError\."),
        ("import numpy as np\nnp.zeros(-1)\n", r"line 2: ValueError: negative dimensions"),
        ("x = 1\n", r"holds no task: give it a line TASK = Task"),
        ("TASK = 'walk_flat'\n", r"TASK is a str, not a Task"),
        (f"{HEAD}TASK = Task\n", r"TASK is a type, not a Task"),
        (f'{HEAD}TASK = Task(name="mine")\n', r"line \d+: TypeError: .*missing 5 required"),
        (f'{HEAD}TASK = Task(name="walk_flat", {VALUES})\n', r"named walk_flat, as one of the package is"),
        (f'{HEAD}TASK = Task(name="../x", {VALUES})\n', r"name is '../x': give a short name"),
        ("x = 1\0\n", r"my_task.py"),
    ],
)
def test_what_is_wrong_with_a_file_is_one_sentence(text, said, tmp_path):
    path = written(tmp_path, text)
    with pytest.raises(MovlrError, match=said) as told:
        tasks.find(str(path))
    assert str(path) in str(told.value) and "\n" not in str(told.value)


def test_every_value_that_cannot_be_is_told_at_once(tmp_path):
    path = written(
        tmp_path,
        "from movlr_jax.tasks import Task\n"
        "TASK = Task(name='A', sentence='', goal_speed=float('nan'), seconds=0, walks=False,\n"
        "            rewards={'human': 'x'}, morphologies='myolegs')\n",
    )
    with pytest.raises(MovlrError) as told:
        tasks.find(str(path))
    for part in ("name is 'A'", "sentence is ''", "goal_speed is nan", "seconds is 0", "no 'start'", "morphologies is 'myolegs'"):
        assert part in str(told.value)


@pytest.mark.parametrize("kind", ["gone", "folder", "large"])
def test_a_file_that_cannot_be_read(kind, tmp_path):
    path = tmp_path / "my_task.py"
    if kind == "folder":
        path.mkdir()
    elif kind == "large":
        path.write_bytes(b"#" * (own.MOST + 1))
    with pytest.raises(MovlrError, match=re.escape(str(path))):
        tasks.find(str(path))


def test_a_fault_while_it_is_used_names_its_line(tmp_path):
    path = written(
        tmp_path,
        GOOD.replace("TASK = Task(", "class Mine(Task):\n    def gates(self, mean):\n        return mean['nothing']\n\n\nTASK = Mine("),
    )
    task, line = tasks.find(str(path)), path.read_text().split("mean['nothing']")[0].count("\n") + 1
    with pytest.raises(KeyError) as raised:
        task.gates({})
    assert own.fault(raised.value) == f"{path}, line {line}: KeyError: 'nothing'."
    assert own.fault(ValueError("elsewhere")) == ""
