"""Shared by all tests: a quiet CPU-only environment, found models, one prepared body, reasons for what is skipped."""

from __future__ import annotations

import os
import sys
from pathlib import Path

# Before anything imports jax or mujoco: both read these once.
os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("MUJOCO_GL", "egl")
os.environ.setdefault("MPLBACKEND", "agg")
_BESIDE = Path(__file__).resolve().parents[2] / "shared" / "models"
if "MOVLR_MODELS_PATH" not in os.environ and _BESIDE.is_dir():
    os.environ["MOVLR_MODELS_PATH"] = str(_BESIDE)
# No test speaks to a service, whatever keys the developer has set.
for _key in ("WANDB_API_KEY", "GEMINI_API_KEY", "GOOGLE_API_KEY", "OPENAI_API_KEY"):
    os.environ.pop(_key, None)

# Programs that tests start find `support` as the tests do (pytest's setting pythonpath).
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(Path(__file__).parent), os.environ.get("PYTHONPATH"))))

import functools  # noqa: E402
import subprocess  # noqa: E402

import numpy as np  # noqa: E402
import pytest  # noqa: E402


@functools.cache
def _rendering() -> str:
    """Return "" where MuJoCo can draw, else why not. Asked in a process of its own: a failed GL context may end it."""
    code = "import mujoco; c = mujoco.GLContext(16, 16); c.make_current(); c.free()"
    try:
        ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    except subprocess.TimeoutExpired:
        return "the GL driver does not answer"
    return "" if ran.returncode == 0 else (ran.stderr.strip().splitlines() or ["no GL"])[-1]


@functools.cache
def _missing_model(name: str) -> str:
    from movlr_jax.errors import MovlrError
    from movlr_jax.morphologies import sources

    try:
        sources.find(name)
    except MovlrError as error:
        return str(error)
    return ""


@functools.cache
def _cuda() -> bool:
    return any(Path("/dev").glob("nvidia[0-9]*"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip, with the reason, what this machine cannot run."""
    for item in items:
        if item.get_closest_marker("gpu") and not _cuda():
            item.add_marker(pytest.mark.skip(reason="no CUDA device on this machine"))
        if item.get_closest_marker("gl") and (why := _rendering()):
            item.add_marker(pytest.mark.skip(reason=f"MuJoCo cannot render here ({why})"))
        if (models := item.get_closest_marker("models")) and (
            why := _missing_model(*models.args or ("ms_human_700/scene_locomotion.xml",))
        ):
            item.add_marker(pytest.mark.skip(reason=why))


# `main` has every Python that its process starts find modules where they are installed; a test's own scripts stand beside the tests.
_SEARCHED = {name: os.environ.get(name) for name in ("PYTHONSAFEPATH", "PYTHONPATH")}


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Put back, before a test's fixtures of any scope are made, where Python looks for modules."""
    for name, value in _SEARCHED.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


@pytest.fixture
def rng() -> np.random.Generator:
    """A generator with the same numbers in every run."""
    return np.random.default_rng(0)


@pytest.fixture
def small_disk(tmp_path: Path):  # type: ignore[no-untyped-def]
    """A function that mounts a file system of its own, of so many kB, and returns where; the test skips where nothing can be mounted."""
    mounted: list[Path] = []

    def mount(kilobytes: int) -> Path:
        place = tmp_path / f"disk-{len(mounted)}"
        place.mkdir()
        made = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(place)], capture_output=True, text=True, check=False
        )
        if made.returncode:
            pytest.skip(f"no file system can be mounted here ({made.stderr.strip()})")
        mounted.append(place)
        return place

    yield mount
    for place in mounted:
        subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.fixture
def own_body(tmp_path: Path):  # type: ignore[no-untyped-def]
    """A function that writes a user's own body, the small biped, as MJCF and YAML; it takes changed values and returns the YAML's path."""
    import yaml
    from support import biped

    def write(xml: str = biped.XML, **changed: object) -> Path:
        (tmp_path / "biped.xml").write_text(xml)
        plan = biped.PLAN
        values = {
            "name": "my-biped",
            "title": plan.title,
            "licence": plan.licence,
            "model": "biped.xml",
            "landmarks": {name: {"body": place.body, "offset": list(place.offset)} for name, place in plan.landmarks.items()},
            "feet": {side: list(bodies) for side, bodies in plan.feet.items()},
            "planned_joints": list(plan.planned_joints),
        } | changed
        path = tmp_path / "body.yaml"
        path.write_text(yaml.safe_dump({k: v for k, v in values.items() if v is not None}))
        return path

    write.xml = biped.XML
    return write


@pytest.fixture(scope="session")
def myolegs():  # type: ignore[no-untyped-def]
    """The embedded default body, prepared once a session. Read only."""
    from movlr_jax.morphologies import load

    return load("myolegs")


@pytest.fixture(scope="session")
def bottle_hand():  # type: ignore[no-untyped-def]
    """The hand at the bottle, prepared once a session. Read only; its tests are marked `models`."""
    from movlr_jax import tasks

    return tasks.get("bottle_pour").load()


@pytest.fixture(scope="session")
def cube_hand():  # type: ignore[no-untyped-def]
    """The hand with the cube, prepared once a session. Read only; its tests are marked `models`."""
    from movlr_jax import tasks

    return tasks.get("cube_rotate").load()


@pytest.fixture(scope="session")
def layout(myolegs):  # type: ignore[no-untyped-def]
    """The names of its feature vector."""
    from movlr_jax.rewards.features import feature_layout

    return feature_layout(myolegs)


@pytest.fixture(scope="session")
def simulator8(myolegs):  # type: ignore[no-untyped-def]
    """A native simulator of it with eight candidate worlds."""
    from movlr_jax.physics.native import NativeSimulator

    return NativeSimulator(myolegs, candidates=8, plan_dt=0.008, threads=2)


@pytest.fixture
def scripted():  # type: ignore[no-untyped-def]
    """The class of models that give the answers they are told to, in order, and keep what they were asked.

    An answer is a text, a value (sent as JSON), an exception (raised), or a function of the ModelRequest that returns one of these;
    the last is given again and again.
    """
    import json

    from movlr_jax.llm.base import Answer, Image, Text

    class Scripted:
        def __init__(self, *answers, name="scripted"):  # type: ignore[no-untyped-def]
            self.name, self.answers, self.asks = name, list(answers), []

        def ask(self, ask):  # type: ignore[no-untyped-def]
            self.asks.append(ask)
            answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
            while callable(answer):
                answer = answer(ask)
            if isinstance(answer, Exception):
                raise answer
            if isinstance(answer, Answer):
                return answer
            text = answer if isinstance(answer, str) else json.dumps(answer)
            record = {"purpose": ask.purpose, "prompt": ask.prompt, "model": self.name, "request": self.told(ask), "response": text}
            return Answer(text, record)

        @staticmethod
        def told(ask):  # type: ignore[no-untyped-def]
            parts = [
                {"text": p.text} if isinstance(p, Text) else {"image": {"bytes": len(p.data)}} if isinstance(p, Image) else
                {"video": {"frames_per_second": p.frames_per_second}}
                for p in ask.parts
            ]  # fmt: skip
            return {"system": ask.system, "parts": parts, "exchange": [list(e) for e in ask.exchange], "temperature": ask.temperature}

        def words(self, number=-1):  # type: ignore[no-untyped-def]
            """Return the words of a request, with <video> and <image> where these are shown."""
            parts = self.asks[number].parts
            return "".join(p.text if isinstance(p, Text) else f"<{type(p).__name__.lower()}>" for p in parts)

    return Scripted


@pytest.fixture(scope="session")
def small_clip(tmp_path_factory):  # type: ignore[no-untyped-def]
    """A clip of twenty small frames, each of one grey, brighter with time. Read only."""
    from movlr_jax.media import video_file
    from movlr_jax.media.clip_options import ClipView

    path = tmp_path_factory.mktemp("clips") / "clip.mp4"
    with video_file.encoder(path, ClipView(width=64, height=48, crf=5)) as sink:
        for shade in range(20):
            sink(np.full((48, 64, 3), 10 * shade + 20, np.uint8))
    return path


@pytest.fixture(autouse=True)
def _own_settings(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what a test allows out of the developer's settings, and out of the next test."""
    from movlr_jax.llm import addresses

    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("settings")))
    for name in (addresses.WITH_KEY, addresses.WITHOUT_KEY):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(addresses, "_given", set())
