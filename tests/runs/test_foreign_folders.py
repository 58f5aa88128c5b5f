"""A run's folder that someone else wrote: through every verb that takes one, nothing outside it is read, written, moved or sent, and what
is wrong with it is one sentence."""

from __future__ import annotations

import base64
import html
import io
import json
import os
import shutil
import socket
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from movlr_jax.cli.main import main

HONEST = Path(__file__).parents[1] / "data" / "run-of-0.1"
MARK = "the-victims-private-words"
TINY = ["--seconds", "0.02", "--seeds", "0", "--threads", "1"]
# Every verb that takes a run's folder, by the words before and after it.
VERBS: dict[str, Callable[[Path, Path], list[str]]] = {
    "report": lambda run, out: ["report", str(run)],
    "resume": lambda run, out: ["resume", str(run)],
    "replay": lambda run, out: ["replay", str(run), "--out", str(out)],
    "prompt": lambda run, out: ["prompt", "show", str(run), "1"],
    "rollout": lambda run, out: ["rollout", "walk_flat", "--reward", str(run), *TINY],
    "eval": lambda run, out: ["eval", "--rewards", str(run), "--task", "walk_flat", "--out", str(out), *TINY],
    "ablate": lambda run, out: ["ablate", str(run), "--task", "walk_flat", "--out", str(out), *TINY],
    "tune": lambda run, out: ["tune", str(run), "--task", "walk_flat", "--trials", "1", "--out", str(out), *TINY],
    "transfer": lambda run, out: [
        "transfer",
        "--from",
        "walk_flat",
        "--rewards",
        str(run),
        "--tasks",
        "walk_flat",
        "--out",
        str(out),
        *TINY,
    ],
    "check": lambda run, out: ["check", str(run / "best" / "reward.py")],
    "start": lambda run, out: ["run", "walk_flat", "--start-reward", str(run), "--iterations", "0", "--out", str(out), *TINY],
}


class Scene:
    """A folder from someone else, and what it must not touch."""

    def __init__(self, place: Path):
        self.run, self.out, self.outside = place / "run", place / "out", place / "outside"
        shutil.copytree(HONEST, self.run, symlinks=True)
        (self.outside / "folder").mkdir(parents=True)
        self.secret = self.outside / "secret.txt"
        self.secret.write_text(MARK)
        (self.outside / "folder" / "kept.json").write_text(json.dumps({"candidate": 0, "reason": MARK}))
        (self.outside / "reward.py").write_text(f'WEIGHTS = {{"a": 1.0}}\n\n\ndef terms(m):\n    return {{"a": m.time}}  # {MARK}\n')
        self.before = self.seen()

    def seen(self) -> dict[str, tuple[object, ...]]:
        """Return all that stands outside: names, contents, modes, times."""
        found: dict[str, tuple[object, ...]] = {}
        for path in sorted(self.outside.rglob("*")):
            status = path.lstat()
            found[str(path)] = (status.st_mode, status.st_mtime_ns, path.read_bytes() if path.is_file() else b"")
        return found

    def ask(self, verb: str) -> int:
        """Run a verb on the folder."""
        return main(VERBS[verb](self.run, self.out))

    def told(self, text: str) -> bool:
        """Return whether the victim's words stand in a text or in any file that was made."""
        hidden = [base64.b64encode(b"x" * k + MARK.encode())[4:-4] for k in range(3)]
        files = (p for place in (self.run, self.out) for p in place.rglob("*") if p.is_file() and not p.is_symlink())
        data = text.encode() + b"".join(path.read_bytes() for path in files if path.stat().st_size < 1 << 24)
        return MARK.encode() in data or any(part in data for part in hidden)


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    sent: list[object] = []

    def connect(self: socket.socket, address: object) -> None:
        sent.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket.socket, "connect", connect)
    monkeypatch.setattr(socket.socket, "connect_ex", connect)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    made = Scene(tmp_path)
    yield made
    assert made.seen() == made.before, "something outside was touched"
    assert not sent, f"something was sent to {sent}"
    assert not list((tmp_path / "here").iterdir())


def replaced(path: Path, make: Callable[[Path], object]) -> None:
    """Put something else in the place of a file or a folder."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    make(path)


def _socket(path: Path) -> None:
    here = Path.cwd()
    os.chdir(path.parent)  # a socket's name is short
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(path.name)
    os.chdir(here)


LINKS = {
    "a candidate": ("iterations/001/candidates/0", "folder"),
    "the candidates": ("iterations/001/candidates", "folder"),
    "an iteration": ("iterations/001", "folder"),
    "all iterations": ("iterations", "folder"),
    "a coming iteration": ("iterations/002", "folder"),
    "the heat maps": ("heatmaps", "folder"),
    "a heat map": ("heatmaps/weights.png", "secret.txt"),
    "the calls": ("calls", "folder"),
    "an iteration's calls": ("iterations/001/calls", "folder"),
    "the drafts": ("iterations/001/drafts", "folder"),
    "the lock": (".lock", "secret.txt"),
    "the report": ("report.html", "secret.txt"),
    "a clip": ("iterations/000/clip.mp4", "secret.txt"),
    "the records": ("metrics.jsonl", "secret.txt"),
    "the table": ("summary.json", "secret.txt"),
    "a critique": ("iterations/000/critique.json", "secret.txt"),
    "a reward": ("iterations/000/reward.py", "reward.py"),
    "an episode": ("iterations/000/rollout.npz", "secret.txt"),
    "the configuration": ("config.yaml", "secret.txt"),
    "the header": ("run.json", "secret.txt"),
    "the best": ("best", "folder"),
    "W&B's files": ("wandb", "folder"),
    "a file of W&B": ("wandb/settings", "secret.txt"),
}
THINGS: dict[str, tuple[str, Callable[[Path], object]]] = {
    "a pipe for numbers": ("iterations/000/metrics.json", os.mkfifo),
    "a pipe for a clip": ("iterations/000/clip.mp4", os.mkfifo),
    "a pipe for a table": ("summary.json", os.mkfifo),
    "a pipe for a lock": (".lock", os.mkfifo),
    "a pipe for a reward": ("iterations/000/reward.py", os.mkfifo),
    "a socket": ("iterations/000/facts.json", _socket),
    "a link that leads nowhere": ("iterations/000/notes", lambda p: p.symlink_to("nowhere")),
    "a link to itself": ("iterations/000/loop", lambda p: p.symlink_to("loop")),
    "the best one step up": ("best", lambda p: p.symlink_to("..")),
    "the best by an absolute path": ("best", lambda p: p.symlink_to(p.parent / "iterations" / "000")),
    "folders without an end": ("iterations/000/deep", lambda p: (p / "/".join(["d"] * 60)).mkdir(parents=True)),
}


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("what", [*LINKS, *THINGS])
def test_what_no_run_holds_is_refused_before_anything_is_touched(
    scene: Scene, what: str, verb: str, capfd: pytest.CaptureFixture[str]
) -> None:
    if what in LINKS:
        name, target = LINKS[what]
        replaced(scene.run / name, lambda path: path.symlink_to(scene.outside / target))
    else:
        name, make = THINGS[what]
        replaced(scene.run / name, make)
    before = sorted(str(path) for path in scene.run.rglob("*"))
    assert scene.ask(verb) == 1
    said = capfd.readouterr()
    assert said.out == "" and said.err.startswith("movlr: ") and said.err.count("\n") == 1 and "defect" not in said.err, said
    assert not scene.told(said.err)
    assert sorted(str(path) for path in scene.run.rglob("*")) == before


def _npz(header: bytes, data: bytes = b"", name: str = "time.npy") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, header + data)
    return buffer.getvalue()


def _header(shape: str, kind: str) -> bytes:
    told = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(told).to_bytes(2, "little") + told.encode()


def _rollout(**changed: object) -> bytes:
    with np.load(HONEST / "iterations" / "000" / "rollout.npz") as file:
        arrays = {name: file[name] for name in file.files} | changed
    buffer = io.BytesIO()
    np.savez(buffer, **{name: value for name, value in arrays.items() if value is not None})
    return buffer.getvalue()


def _with(name: str, **changed: object) -> bytes:
    return json.dumps({**json.loads((HONEST / name).read_text()), **changed}).encode()


ROW = "iterations/000/iteration.json"
CONFIG = (HONEST / "config.yaml").read_text()
CONTENTS: dict[str, tuple[str, bytes]] = {
    "a table that is a list": ("summary.json", b"[]"),
    "a table of one number": ("summary.json", b'{"iterations": 3, "best": "x"}'),
    "a table of texts": ("summary.json", b'{"iterations": [{"iteration": 0, "weights": {"a": "text"}}], "best": 0}'),
    "a table without an end": ("summary.json", b'{"iterations": '),
    "a table too deep": ("summary.json", b"[" * 200_000),
    "a header that is no object": ("run.json", b"7"),
    "a header that is not UTF-8": ("run.json", b"\xff\xfe{}"),
    "a row that is a list": (ROW, b"[]"),
    "a row out of its place": (ROW, _with(ROW, iteration=7)),
    "a row of texts": (ROW, _with(ROW, score="85")),
    "a row with a number that is none": (ROW, _with(ROW).replace(b'"score": ', b'"score": NaN, "was": ')),
    "a row too deep": (ROW, b'{"iteration": ' * 900 + b"0" + b"}" * 900),
    "a row whose parent is itself": (ROW, _with(ROW, parent=0)),
    "a choice of a candidate that is a path": ("iterations/000/choice.json", b'{"candidate": "../../../outside", "reason": ""}'),
    "a choice of a candidate below nought": ("iterations/000/choice.json", b'{"candidate": -1, "reason": ""}'),
    "metrics without episodes": ("iterations/000/metrics.json", _with("iterations/000/metrics.json", episodes=[])),
    "metrics of texts": ("iterations/000/metrics.json", _with("iterations/000/metrics.json", falls="none")),
    "a critique of numbers": ("iterations/000/critique.json", b'{"success": 3, "summary": [], "faults": {}}'),
    "weights of texts": ("iterations/000/weights.json", b'{"forward_speed": "much"}'),
    "seconds of texts": ("iterations/001/seconds.json", b'{"move": "long"}'),
    "an array of objects": ("iterations/000/rollout.npz", _rollout(qpos=np.array([{}], object))),
    "an array of 14 TiB": ("iterations/000/rollout.npz", _npz(_header("(1, 1924145348608)", "<f8"), bytes(64))),
    "an archive that unpacks to more": ("iterations/000/rollout.npz", _npz(bytes(1 << 22))[:-200]),
    "an episode of another body": ("iterations/000/rollout.npz", _rollout(qpos=np.zeros((3, 2)))),
    "an episode of texts": ("iterations/000/rollout.npz", _rollout(act=np.array([["a"]] * 3))),
    "an episode without times": ("iterations/000/rollout.npz", _rollout(time=None)),
    "a clip that is a list of other files": ("iterations/000/clip.mp4", b"ffconcat version 1.0\nfile '/etc/hostname'\n"),
    "a clip that is a playlist": ("iterations/000/clip.mp4", b"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/x.ts\n"),
    "lines without iterations": ("metrics.jsonl", b'{"a": 1}\n[]\n'),
    "a configuration of aliases": (
        "config.yaml",
        b"a: &a [x]\n" + b"".join(b"%c: &%c [%s]\n" % (c, c, b"*%c, " % (c - 1) * 9) for c in b"bcdefghi"),
    ),
    "a configuration that makes objects": ("config.yaml", b"task: !!python/object/apply:os.system ['touch made']\n"),
    "a configuration too deep": ("config.yaml", b"task: " + b"[" * 5000),
    "a configuration of other types": ("config.yaml", CONFIG.replace("iterations: 1", "iterations: one").encode()),
    "a task that is a command": ("config.yaml", CONFIG.replace("task: walk_flat", "task: 'walk_flat; touch made'").encode()),
    "a task that is a path": ("config.yaml", CONFIG.replace("task: walk_flat", "task: ../../outside/reward.py").encode()),
    "a text that is no program": ("iterations/000/reward.py", b"\x00\xff" * 40),
    "a text that is a program": ("iterations/000/reward.py", b"import os\nos.system('touch made')\nWEIGHTS = {}\n"),
    "a verdict that is a number": ("iterations/000/verdict.json", b"1"),
    "a draft that is a list": ("iterations/001/drafts/00.json", b"[1]"),
    "a record of nothing": ("calls/" + "0" * 64 + ".json", b"{}"),
}
TOUCHING = ("report", "resume", "prompt")


@pytest.mark.parametrize("what", CONTENTS)
def test_contents_of_other_kinds_are_a_sentence_and_nothing_happens(scene: Scene, what: str, capfd: pytest.CaptureFixture[str]) -> None:
    name, data = CONTENTS[what]
    replaced(scene.run / name, lambda path: path.write_bytes(data))
    for verb in TOUCHING:
        code = scene.ask(verb)
        said = capfd.readouterr()
        assert "defect" not in said.err and "Traceback" not in said.err, (verb, said.err)
        assert code == 0 or (said.err.splitlines()[-1].startswith("movlr: ") and len(said.err) < 6000), (verb, said.err)
        assert "\x1b" not in said.out + said.err and not scene.told(said.out + said.err)
    assert not list(scene.run.rglob("made"))


@pytest.mark.parametrize("verb", ["rollout", "eval", "check", "start", "replay"])
@pytest.mark.parametrize("what", ["a text that is a program", "a text that is no program", "a configuration of aliases", "a row of texts"])
def test_rewards_and_settings_of_other_kinds(scene: Scene, what: str, verb: str, capfd: pytest.CaptureFixture[str]) -> None:
    name, data = CONTENTS[what]
    replaced(scene.run / name, lambda path: path.write_bytes(data))
    scene.ask(verb)
    said = capfd.readouterr()
    assert "defect" not in said.err and "Traceback" not in said.err, said.err
    assert not list(scene.run.rglob("made")) and not list(scene.out.rglob("made"))


CODE = """
import os
os.makedirs(os.path.join({folder!r}, "ran-in-the-parent"), exist_ok=True)
WEIGHTS = {{"a": 1.0}}


def terms(m):
    return {{"a": m.time}}
"""


@pytest.mark.parametrize("claim", [{"trusted_text": True}, {"ours": True, "trusted": True, "stage": "package"}])
def test_no_flag_lends_trust(scene: Scene, claim: dict[str, object], capfd: pytest.CaptureFixture[str]) -> None:
    """The text of a draft that calls itself trusted goes through the jail like any other."""
    for path in (scene.run / "iterations" / "001").iterdir():
        replaced(path, lambda p: None)
    draft = {
        "name": "start",
        "edit": "",
        "rationale": "",
        "given_up": "",
        "refusal": "",
        **claim,
        "source": CODE.format(folder=str(scene.run)),
    }
    place = scene.run / "iterations" / "001" / "candidates" / "0" / "drafts" / "00.json"
    replaced(place, lambda path: path.write_text(json.dumps(draft)))
    assert scene.ask("resume") == 0  # the writer is asked again
    assert not (scene.run / "ran-in-the-parent").exists()
    assert "refused" in capfd.readouterr().err


def test_what_a_folder_says_is_quoted_and_cannot_steer_the_terminal(scene: Scene, capfd: pytest.CaptureFixture[str]) -> None:
    """Commands to go on with are pasted, and edits are shown: neither may do more than it says."""
    told = "\x1b]52;c;aGVsbG8=\x07\x1b[2Jreweigh \u202e forward"
    header, row = json.loads((scene.run / "run.json").read_text()), json.loads((scene.run / ROW).read_text())
    (scene.run / "run.json").write_text(json.dumps({**header, "task": "walk_flat; touch made"}))
    (scene.run / "summary.json").write_text(json.dumps({"task": "walk_flat; touch made", "best": 0, "iterations": [row]}))
    (scene.run / ROW).write_text(json.dumps({**row, "edit": told, "critique": told}))
    assert scene.ask("report") == 0
    page = (scene.run / "report.html").read_text()
    assert "movlr rollout 'walk_flat; touch made'" in html.unescape(page)
    assert "movlr rollout '" not in page and "movlr rollout walk_flat;" not in page
    assert scene.ask("resume") == 0
    said = capfd.readouterr()
    assert "reweigh" in said.out and not any(mark in said.out + said.err for mark in ("\x1b", "\x07", "\u202e"))


@pytest.mark.parametrize("how", ["as it was", "copied", "zipped", "moved", "without links", "links followed", "read at another place"])
def test_an_honest_folder_of_the_version_before_goes_on(scene: Scene, how: str, capfd: pytest.CaptureFixture[str]) -> None:
    if how == "copied":
        shutil.copytree(scene.run, scene.run.with_name("copy"), symlinks=True)
        scene.run = scene.run.with_name("copy")
    elif how == "zipped":
        shutil.make_archive(str(scene.run.with_name("packed")), "zip", scene.run)
        scene.run = scene.run.with_name("unpacked")
        shutil.unpack_archive(scene.run.with_name("packed.zip"), scene.run)
    elif how == "moved":
        scene.run = scene.run.rename(scene.run.with_name("a name with spaces"))
    elif how == "without links":
        (scene.run / "best").unlink()
    elif how == "links followed":
        shutil.copytree(scene.run, scene.run.with_name("copy"), symlinks=False)
        scene.run = scene.run.with_name("copy")
    elif how == "read at another place":
        scene.run.with_name("link").symlink_to(scene.run)
        scene.run = scene.run.with_name("link")
    assert scene.ask("rollout") == 0
    assert scene.ask("report") == 0
    assert main(["resume", str(scene.run), "--iterations", "2"]) == 0
    assert (scene.run / "iterations" / "002" / "iteration.json").is_file() and str((scene.run / "best").readlink()) == "iterations/000"
    if how == "as it was":
        assert scene.ask("replay") in (0, 1)  # 1 where this processor computes other bits than the one that made the folder
        assert json.loads((scene.out / "summary.json").read_text())["iterations"][2]["edit"]
        for verb in ("check", "start", "eval", "ablate", "tune", "transfer"):
            shutil.rmtree(scene.out, ignore_errors=True)
            assert scene.ask(verb) == 0, verb
    assert "defect" not in capfd.readouterr().err


def test_files_called_like_modules_are_not_imported(scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the run's folder, and in the folder that the user works in: no worker, tracker or helper looks for modules there."""
    here = tmp_path / "downloads"
    shutil.copytree(scene.run, here)
    for name in ("json", "random", "struct", "typing", "movlr_jax", "numpy", "wandb", "multiprocessing"):
        for place in (here, scene.run):
            (place / f"{name}.py").write_text(f"open({str(tmp_path / 'imported')!r}, 'a').write({name!r})\n")
    (here / "mine.yaml").write_text(f"out: {scene.out}\ngrid:\n  seed: [0]\nbase:\n  task: walk_flat\n  iterations: 0\n  seconds: 0.02\n")
    tuned = ["tune", str(scene.run), "--task", "walk_flat", "--trials", "2", "--parallel", "2", "--out", str(tmp_path / "tuned"), *TINY]
    ran = [["resume", str(scene.run), "--iterations", "2"], ["sweep", "mine.yaml"], tuned]
    config = (scene.run / "config.yaml").read_text()
    (scene.run / "config.yaml").write_text(config.replace("tracking: 'off'", "tracking: offline"))
    for words in ran:
        done = subprocess.run([Path(sys.executable).with_name("movlr"), *words], cwd=here, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr[-2000:]
    assert not (tmp_path / "imported").exists(), (tmp_path / "imported").read_text()
