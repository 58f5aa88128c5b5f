"""Fetching a model from a git repository made here: whole and verified or not at all, taken up where it was broken off."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from movlr_jax.errors import MovlrError
from movlr_jax.morphologies import fetch, manifest, ostrich, sources

SCENE = """<mujoco>
  <include file="parts.xml"/>
  <worldbody>
    <geom name="floor" type="plane" size="1 1 1"/>
    <body name="ball" pos="0 0 1"><freejoint/><geom class="part" size="0.1"/></body>
  </worldbody>
</mujoco>
"""
PARTS = '<mujoco><default><default class="part"><geom type="sphere" mass="2.5"/></default></default></mujoco>\n'
MODELS = sources.search_path()  # before the fixture below hides it
MESHES = 60  # more than two batches


def git(folder: Path, *words: str) -> str:
    who = ("-c", "user.name=t", "-c", "user.email=t@example.org")
    return subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


def commit(upstream: Path) -> str:
    git(upstream, "add", "-A")
    git(upstream, "commit", "--quiet", "-m", "x")
    return git(upstream, "rev-parse", "HEAD")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(sources.CACHE_VARIABLE, str(tmp_path / "cache"))
    monkeypatch.delenv(sources.PATH_VARIABLE, raising=False)
    return tmp_path / "cache" / "models"


@pytest.fixture
def upstream(tmp_path: Path) -> Path:
    folder = tmp_path / "upstream"
    (folder / "ball" / "assets").mkdir(parents=True)
    (folder / "ball" / "scene.xml").write_text(SCENE)
    (folder / "ball" / "parts.xml").write_text(PARTS)
    for i in range(MESHES):
        (folder / "ball" / "assets" / f"{i}.obj").write_text(f"v {i} 0 0\n")
    (folder / "other").mkdir()
    (folder / "other" / "large.bin").write_bytes(os.urandom(200_000))
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "config", "uploadpack.allowFilter", "true")
    commit(folder)
    return folder


@pytest.fixture
def wanted(upstream: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> manifest.Manifest:
    layout = manifest.survey(upstream / "ball", ["scene.xml"])
    record = {"bodies": ["ball-body"], "licence": "MIT", "repository": upstream.as_uri(), "commit": git(upstream, "rev-parse", "HEAD")}
    (tmp_path / "manifests").mkdir()
    (tmp_path / "manifests" / "ball.json").write_text(json.dumps(record | {"layouts": [layout]}))
    monkeypatch.setattr(manifest, "FOLDER", tmp_path / "manifests")
    return manifest.get("ball-body")


def told(steps: list[tuple[str, int, int]]) -> fetch.Progress:
    return lambda what, done, total: steps.append((what, done, total))


def test_one_folder_of_one_commit_arrives_verified(wanted, upstream, cache):
    steps: list[tuple[str, int, int]] = []
    got = fetch.fetch(wanted, progress=told(steps))
    assert got.new and got.folder == cache / "ball" and manifest.deviations(got.folder, wanted) == []
    assert json.loads((got.folder / "fetched.json").read_text())["commit"] == wanted.commit == got.commit
    assert [done for what, done, _ in steps if what == "fetching"] == [0, 24, 48, MESHES + 2]
    assert sorted(p.name for p in cache.iterdir()) == [".fetching-ball.lock", "ball"]
    assert sources.find("ball/scene.xml") == cache.resolve() / "ball" / "scene.xml"
    shutil.rmtree(upstream)  # a sound copy needs no upstream
    assert fetch.fetch(wanted) == fetch.Fetched(got.folder, wanted.repository, wanted.commit, False)


def test_only_the_folder_is_downloaded(wanted, upstream, cache):
    class Stop(Exception):
        pass

    def stop(what: str, done: int, total: int) -> None:
        if what == "checking":
            raise Stop

    with pytest.raises(Stop):
        fetch.fetch(wanted, progress=stop)
    held = sum(p.stat().st_size for p in (cache / ".fetching-ball").rglob("*") if p.is_file())
    assert held < 150_000  # other/large.bin alone is more
    assert not (cache / "ball").exists()


def test_a_killed_fetch_goes_on_where_it_was(wanted, cache):
    code = f"""
import time
from pathlib import Path
from movlr_jax.morphologies import fetch, manifest
manifest.FOLDER = Path({str(manifest.FOLDER)!r})
def tell(what, done, total):
    print(what, done, flush=True)
    if done >= 48:
        time.sleep(60)
fetch.fetch(manifest.get("ball"), progress=tell)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert any(line == "fetching 48\n" for line in process.stdout)
        process.send_signal(signal.SIGKILL)
    assert not (cache / "ball").exists()
    steps: list[tuple[str, int, int]] = []
    assert fetch.fetch(wanted, progress=told(steps)).new
    assert [done for what, done, _ in steps if what == "fetching"] == [48, MESHES + 2]


def test_what_a_broken_fetch_left_damaged_is_fetched_anew(wanted, cache):
    def stop(what: str, done: int, total: int) -> None:
        if what == "checking":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch.fetch(wanted, progress=stop)
    for pack in (cache / ".fetching-ball" / ".git" / "objects" / "pack").glob("*.pack"):
        pack.chmod(0o644)
        data = bytearray(pack.read_bytes())
        data[20:-20] = b"\0" * (len(data) - 40)
        pack.write_bytes(data)
    (cache / ".fetching-ball" / ".git" / "index.lock").touch()
    assert fetch.fetch(wanted).new
    assert manifest.deviations(cache / "ball", wanted) == []


def test_a_damaged_copy_is_named_and_replaced(wanted, cache):
    folder = fetch.fetch(wanted).folder
    (folder / "assets" / "7.obj").write_text("v 8 0 0\n")
    (folder / "parts.xml").unlink()
    for i in range(20, 30):
        (folder / "assets" / f"{i}.obj").unlink()
    sentences = manifest.deviations(folder, wanted)
    assert "assets/7.obj is not the file that is known." in sentences and "assets/20.obj is missing." in sentences
    assert "6 more files are missing." in sentences and any("scene.xml does not compile" in s for s in sentences)
    assert fetch.fetch(wanted).new
    assert manifest.deviations(folder, wanted) == []


def test_another_content_is_refused_and_the_copy_that_is_there_stays(wanted, upstream, cache):
    fetch.fetch(wanted)
    (upstream / "ball" / "parts.xml").write_text(PARTS.replace("2.5", "3"))
    changed = commit(upstream)
    with pytest.raises(MovlrError, match=rf"at {changed[:12]} is not the model that this version knows: parts.xml is not .*1 more dev"):
        fetch.fetch(wanted, commit="main")
    assert manifest.deviations(cache / "ball", wanted) == [] and not (cache / ".fetching-ball").exists()


def test_the_same_content_is_accepted_from_another_commit(wanted, upstream, monkeypatch):
    (upstream / "ball" / "scene.xml").write_text("<!-- laid out anew -->\n" + SCENE.replace("\n", "\n\n").replace('"/>', '"  />'))
    moved = commit(upstream)
    monkeypatch.chdir(upstream.parent)
    got = fetch.fetch(wanted, upstream.name, "main")
    assert (got.commit, got.new) == (moved, True)
    assert fetch.fetch(wanted, commit="main").new is False
    assert fetch.fetch(wanted, commit=wanted.commit).commit == wanted.commit


def test_sizes_are_checked_where_no_hash_is_known(wanted, upstream):
    loose = manifest.Manifest(**{**vars(wanted), "layouts": (manifest.Layout(wanted.layouts[0].scenes, {}),)})
    assert manifest.deviations(upstream / "ball", loose) == []
    (upstream / "ball" / "parts.xml").write_text(PARTS.replace("2.5", "3"))
    assert manifest.deviations(upstream / "ball", loose) == ["scene.xml has mass 3, not 2.5."]


def test_a_model_is_held_against_the_layout_that_it_has(wanted, upstream):
    other = manifest.Layout({"elsewhere.xml": {"nq": 1}}, {})
    both = manifest.Manifest(**{**vars(wanted), "layouts": (other, *wanted.layouts)})
    assert manifest.deviations(upstream / "ball", both) == []
    (upstream / "ball" / "scene.xml").unlink()
    assert manifest.deviations(upstream / "ball", both) == ["elsewhere.xml is missing."]


def test_unknown_commit_folder_repository_and_name(wanted, upstream, tmp_path):
    with pytest.raises(MovlrError, match=r"has no commit, branch or tag 1{40}: name another with --commit"):
        fetch.fetch(wanted, commit="1" * 40)
    with pytest.raises(MovlrError, match=r"has no commit, branch or tag devel"):
        fetch.fetch(wanted, commit="devel")
    with pytest.raises(MovlrError, match=r"cannot be fetched \(git: .*\): look to the network"):
        fetch.fetch(wanted, str(tmp_path / "nowhere"))
    with pytest.raises(MovlrError, match=r"http://127.0.0.1:1/x cannot be fetched \(git: unable to access"):
        fetch.fetch(wanted, "http://127.0.0.1:1/x")
    git(upstream, "mv", "ball", "bowl")
    commit(upstream)
    with pytest.raises(MovlrError, match="has no folder ball at"):
        fetch.fetch(wanted, commit="main")
    assert fetch.fetch(wanted).new  # none of it is in the way
    with pytest.raises(MovlrError, match="'bal' cannot be fetched: did you mean ball"):
        manifest.get("bal")


def test_without_git(wanted, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MovlrError, match="git was not found: install the system package git"):
        fetch.fetch(wanted)


def test_a_git_environment_of_the_caller_does_not_matter(wanted, monkeypatch, tmp_path):
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "none"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "none"))
    assert fetch.fetch(wanted).new


def test_a_cache_that_cannot_be_written(wanted, monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv(sources.CACHE_VARIABLE, str(tmp_path / "file" / "below"))
    with pytest.raises(MovlrError, match=r"cannot be written \(Not a directory\): set MOVLR_CACHE"):
        fetch.fetch(wanted)


def test_two_at_once(wanted, cache):
    cache.mkdir(parents=True)
    with (cache / ".fetching-ball.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(MovlrError, match="is being fetched by another process"):
            fetch.fetch(wanted)


def _can_mount() -> bool:
    tried = subprocess.run(["unshare", "-rm", "sh", "-c", "mount -t tmpfs tmpfs /mnt"], capture_output=True)
    return tried.returncode == 0


@pytest.mark.skipif(shutil.which("unshare") is None or not _can_mount(), reason="no small file system can be mounted here")
def test_a_full_disk(wanted, tmp_path):
    small, program = tmp_path / "small", tmp_path / "program.py"
    small.mkdir()
    program.write_text(f"""
from pathlib import Path
from movlr_jax.morphologies import fetch, manifest
manifest.FOLDER = Path({str(manifest.FOLDER)!r})
fetch.fetch(manifest.get("ball"))
""")
    shell = f"mount -t tmpfs -o size=200k tmpfs {small} && exec {sys.executable} {program}"
    environment = {**os.environ, sources.CACHE_VARIABLE: str(small)}
    ran = subprocess.run(["unshare", "-rm", "sh", "-c", shell], capture_output=True, text=True, env=environment)
    assert ran.returncode and "MovlrError: There is no room left in" in ran.stderr.splitlines()[-1]


@pytest.mark.models
def test_the_known_model_is_what_is_found():
    found = [place / "ms_human_700" for place in MODELS if (place / "ms_human_700").is_dir()]
    (layout,) = manifest.get("ms-human-700").layouts
    light = manifest.Layout({"scene_locomotion.xml": layout.scenes["scene_locomotion.xml"]}, layout.files)  # the others compile for seconds
    assert found and len(layout.files) == 244
    assert manifest.deviations(found[0], manifest.Manifest(**{**vars(manifest.get("ms-human-700")), "layouts": (light,)})) == []


@pytest.mark.models
def test_the_ostrich_has_its_floor_in_both_of_its_layouts(tmp_path, monkeypatch):
    here = next((place / "ostrich" for place in MODELS if (place / "ostrich" / "shared.xml").is_file()), None)
    if here is None:
        pytest.skip("no ostrich in the layout of its first upstream is found")
    there = tmp_path / "models" / "ostrich"
    there.mkdir(parents=True)
    for path in here.iterdir():
        if path.name != "ostrich.xml":
            (there / path.name).symlink_to(path)
    text = (here / "ostrich.xml").read_text()
    floor = re.search(r'<geom name="floor".*?/>', text)
    assert floor
    (there / "ostrich.xml").write_text(text.replace(floor[0], ""))
    (there / "scene.xml").write_text(f'<mujoco><include file="ostrich.xml"/><worldbody>{floor[0]}</worldbody></mujoco>')
    monkeypatch.setenv(sources.PATH_VARIABLE, str(there.parent))
    assert manifest.deviations(there, manifest.get("ostrich")) == []
    moved = ostrich.PLAN.spec()
    monkeypatch.setenv(sources.PATH_VARIABLE, str(here.parent))
    known = ostrich.PLAN.spec()
    assert moved.geom("floor").parent.name == known.geom("floor").parent.name == "world"
    assert sorted(g.name for g in moved.geoms) == sorted(g.name for g in known.geoms)
