"""Weights & Biases for real: offline files, and online against servers that refuse, fail and hang; a run never waits nor fails."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest

from movlr_jax.tracking import WandbTracker

pytest.importorskip("wandb")
KEY = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home folder of its own, to see what is written there."""
    folder = tmp_path / "home"
    folder.mkdir()
    for name in ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(folder))
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def clips(tmp_path):
    """Two clips that differ: equal files are stored once."""
    paths = []
    for number in range(2):
        path = tmp_path / f"clip{number}.mp4"
        writer = imageio_ffmpeg.write_frames(str(path), (32, 32), fps=10, macro_block_size=16)
        writer.send(None)
        for level in range(0, 250, 50):
            writer.send(np.full((32, 32, 3), level // (1 + number), np.uint8).tobytes())
        writer.close()
        paths.append(path)
    return paths


@pytest.fixture
def picture(tmp_path):
    from matplotlib import image

    path = tmp_path / "weights.png"
    image.imsave(path, np.zeros((8, 8, 3)))
    return path


def run_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    folder.mkdir()
    return folder


def follow(folder: Path, mode, clips: list[Path], picture: Path, **waits) -> list[str]:
    """Track two iterations and return the warnings."""
    warnings: list[str] = []
    tracker = WandbTracker(folder, mode, "test", "run", warnings.append, **waits)
    tracker.start({"task": "walk_flat", "seeds": [0, 1]}, "run-1")
    for iteration in range(2):
        tracker.log(iteration, {"score": 1.0 + iteration, "terms/height/weight": 3.0}, {}, {"clip": clips[iteration]})
    tracker.log(1, {}, {"weights": picture}, {})
    tracker.finish()
    return warnings


def records(path: Path):
    """Yield the serialised records of a .wandb file: a LevelDB log (blocks of 32 KiB, pieces with a 7-byte header) after 7 bytes."""
    data = path.read_bytes()
    assert data[:4] == b":W&B"
    position, record = 7, b""
    while position + 7 <= len(data):
        if 32768 - position % 32768 < 7:
            position += 32768 - position % 32768
            continue
        length, kind = int.from_bytes(data[position + 4 : position + 6], "little"), data[position + 6]
        record += data[position + 7 : position + 7 + length]
        position += 7 + length
        if kind in (1, 4):  # whole, or the last piece
            yield record
            record = b""


def read_back(folder: Path) -> dict:
    """Return what the offline runs hold: the history's rows, the configuration, the run ids."""
    from wandb.proto import wandb_internal_pb2

    def values(items):
        return {item.key or ".".join(item.nested_key): json.loads(item.value_json) for item in items}

    found: dict = {"rows": [], "config": {}, "ids": []}
    for path in sorted(folder.glob("wandb/offline-run-*/*.wandb")):
        for data in records(path):
            record = wandb_internal_pb2.Record.FromString(data)
            if record.HasField("run"):
                found["ids"].append(record.run.run_id)
                found["config"] |= values(record.run.config.update)
            if record.HasField("history"):
                found["rows"].append(values(record.history.item))
    return found


def test_offline_keeps_scalars_clips_pictures_config_and_one_id_over_resumes(tmp_path, home, clips, picture):
    folder = run_folder(tmp_path)
    assert follow(folder, "offline", clips, picture) == []
    found = read_back(folder)
    assert found["ids"] and set(found["ids"]) == {"run-1"}
    assert found["config"]["task"] == "walk_flat"
    assert [row["score"] for row in found["rows"] if "score" in row] == [1.0, 2.0]
    assert found["rows"][1]["heatmaps/weights._type"] == "image-file"
    assert len(list(folder.glob("wandb/offline-run-*/files/media/videos/**/*.mp4"))) == 2
    assert len(list(folder.glob("wandb/offline-run-*/files/media/images/**/*.png"))) == 1
    again = WandbTracker(folder, "offline", "test", "run", pytest.fail)
    again.start({}, "run-1")
    again.log(2, {"score": 3.0}, {}, {})
    again.finish()
    found = read_back(folder)
    assert set(found["ids"]) == {"run-1"} and [r["score"] for r in found["rows"] if "score" in r] == [1.0, 2.0, 3.0]
    assert [row["_step"] for row in found["rows"]] == [0, 1, 2], "a synced run would drop rows whose step goes back"
    assert not list(home.rglob("*wandb*")), "nothing belongs outside the run's folder"
    assert not list(tmp_path.glob("wandb"))


def test_not_installed_is_one_warning(tmp_path, home, clips, picture, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    warnings = follow(run_folder(tmp_path), "online", clips, picture)
    assert len(warnings) == 1 and "pip install wandb" in warnings[0]


def test_online_without_a_key_is_one_warning(tmp_path, home, clips, picture, monkeypatch):
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    warnings = follow(run_folder(tmp_path), "online", clips, picture, finish_seconds=20.0)
    assert len(warnings) == 1 and "the run goes on" in warnings[0]


class Failing(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(500)
        self.end_headers()

    do_GET = do_POST

    def log_message(self, *arguments):
        pass


@pytest.fixture(params=["refuses", "fails", "hangs"])
def server(request):
    """The address of a server on this machine that refuses connections, answers 500, or accepts and says nothing."""
    if request.param == "fails":
        httpd = ThreadingHTTPServer(("127.0.0.1", 0), Failing)
        threading.Thread(target=httpd.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{httpd.server_port}"
        httpd.shutdown()
        return
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        if request.param == "hangs":
            listener.listen(64)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_a_bad_server_costs_one_warning_and_bounded_time(tmp_path, home, clips, picture, server, monkeypatch, capfd):
    monkeypatch.setenv("WANDB_BASE_URL", server)
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    folder = run_folder(tmp_path)
    began = time.monotonic()
    warnings = follow(folder, "online", clips, picture, start_seconds=3.0, finish_seconds=6.0)
    assert time.monotonic() - began < 12.0
    assert len(warnings) == 1 and "\n" not in warnings[0] and "the run goes on" in warnings[0]
    told = "".join(capfd.readouterr()) + "".join(warnings)
    assert KEY not in told and "wandb:" not in told
    for path in [*folder.rglob("*"), *home.rglob("*")]:
        if path.is_file():
            assert KEY.encode() not in path.read_bytes(), f"the key stands in {path}"
    assert not list(home.rglob("wandb*"))


class Recording:
    """A server that keeps the requests it gets, and answers none of them well."""

    def __init__(self):
        outer, self.seen = self, []

        class Handler(Failing):
            def parse_request(self):
                fine = super().parse_request()
                outer.seen.append(str(self.headers))
                return fine

        self._httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._httpd.server_port}"

    def __enter__(self):
        threading.Thread(target=self._httpd.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *error):
        self._httpd.shutdown()
        self._httpd.server_close()


def test_nothing_in_the_run_folder_is_imported_or_says_where_the_key_goes(tmp_path, home, clips, picture, monkeypatch):
    folder = run_folder(tmp_path)
    planted = tmp_path / "planted"
    for name in ("wandb.py", "json.py", "movlr_jax/__init__.py", "sitecustomize.py"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(f"open({str(planted)!r}, 'w').close()\n")
    monkeypatch.delenv("WANDB_BASE_URL", raising=False)
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    monkeypatch.setenv("WANDB_CONFIG_DIR", str(home / "own"))
    with Recording() as own, Recording() as foreign:
        (home / "own").mkdir()
        (home / "own" / "settings").write_text(f"[default]\nbase_url = {own.address}\n")
        (folder / "wandb").mkdir()
        (folder / "wandb" / "settings").write_text(f"[default]\nbase_url = {foreign.address}\nentity = someone\nproject = theirs\n")
        warnings = follow(folder, "online", clips, picture, start_seconds=3.0, finish_seconds=6.0)
        assert len(warnings) == 1 and own.seen and not foreign.seen
    assert not planted.exists()


@pytest.mark.parametrize(
    "project, run_id", [("someone/theirs", "run-1"), ("test", "../../run"), ("test", "someone/theirs/run"), ("", "run")]
)
def test_a_project_or_an_id_that_points_elsewhere_is_not_sent(tmp_path, home, project, run_id, monkeypatch):
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    with Recording() as own:
        monkeypatch.setenv("WANDB_BASE_URL", own.address)
        warnings: list[str] = []
        tracker = WandbTracker(run_folder(tmp_path), "online", project, "run", warnings.append, finish_seconds=6.0)
        tracker.start({}, run_id)
        tracker.finish()
        assert len(warnings) == 1 and "plain name" in warnings[0] and not own.seen


def test_a_link_in_place_of_the_files_is_not_followed(tmp_path, home, clips, picture):
    folder, elsewhere = run_folder(tmp_path), tmp_path / "elsewhere"
    elsewhere.mkdir()
    (folder / "wandb").symlink_to(elsewhere)
    (warning,) = follow(folder, "offline", clips, picture)
    assert "is a link" in warning and not list(elsewhere.iterdir())


def test_logging_never_waits_for_a_worker_that_hangs(tmp_path, home, monkeypatch):
    folder = run_folder(tmp_path)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(8)
        monkeypatch.setenv("WANDB_BASE_URL", f"http://127.0.0.1:{listener.getsockname()[1]}")
        monkeypatch.setenv("WANDB_API_KEY", KEY)
        warnings: list[str] = []
        tracker = WandbTracker(folder, "online", "test", "run", warnings.append, start_seconds=60.0, answer_seconds=1.0)
        tracker.start({}, "run-1")
        worker = tracker._worker
        began = time.monotonic()
        for iteration in range(300):  # more than a pipe holds
            tracker.log(iteration, {f"terms/{k}/weight": 1.0 for k in range(30)}, {}, {})
        assert time.monotonic() - began < 1.0
        time.sleep(1.2)
        tracker.log(300, {}, {}, {})
        tracker.log(301, {}, {}, {})
        tracker.finish()
    assert len(warnings) == 1 and "no answer within 1 s" in warnings[0]
    assert worker is not None and worker.poll() is not None, "the worker must not outlive the tracker"


def test_the_worker_ends_when_the_run_is_killed(tmp_path, home):
    code = (
        "import sys, time; from pathlib import Path; from movlr_jax.tracking import WandbTracker\n"
        "t = WandbTracker(Path(sys.argv[1]), 'offline', 'p', 'n', print); t.start({}, 'id-1'); t.log(0, {'score': 1.0}, {}, {})\n"
        "while t._pending: time.sleep(0.05)\n"
        "print(t._worker.pid, flush=True); time.sleep(60)\n"
    )
    folder = run_folder(tmp_path)
    process = subprocess.Popen([sys.executable, "-c", code, str(folder)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    worker = int(process.stdout.readline())
    process.kill()
    process.wait()
    deadline = time.monotonic() + 25
    while Path(f"/proc/{worker}").exists() and Path(f"/proc/{worker}/stat").read_text().split()[2] != "Z":
        assert time.monotonic() < deadline, "the worker outlives its run"
        time.sleep(0.1)
    assert [row["score"] for row in read_back(folder)["rows"]] == [1.0]
