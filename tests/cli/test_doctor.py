"""movlr doctor: every line is there, keys are never shown, a broken part is advice and not a crash."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.gemini_server import GeminiServer
from support.openai_server import OpenAIServer

from movlr_jax.cli import doctor
from movlr_jax.cli.main import main
from movlr_jax.llm import addresses
from movlr_jax.runs.config import RunConfig


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the probes that start processes, which have tests of their own."""
    monkeypatch.setattr(doctor, "rendering", lambda: [doctor.Check("rendering", "ok", "not probed")])
    monkeypatch.setattr(doctor, "sandbox", lambda: [doctor.Check("sandbox", "ok", "not probed")])


def examined(capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, str]]:
    assert main(["doctor", "--json"]) == 0
    checks = json.loads(capsys.readouterr().out)["checks"]
    assert all(set(c) == {"name", "state", "detail", "advice"} for c in checks)
    assert all(c["advice"] for c in checks if c["state"] == "failed")
    return {c["name"]: c for c in checks}


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test of this file speaks to a service of the developer's."""
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    monkeypatch.delenv("GOOGLE_GEMINI_BASE_URL", raising=False)


def test_every_part_is_looked_at(quick: None, capsys: pytest.CaptureFixture[str]) -> None:
    checks = examined(capsys)
    wanted = {"python", "mujoco", "engines", "jax", "gpu", "rendering", "ffmpeg", "sandbox", "body myolegs", "wandb"}
    assert wanted <= set(checks)
    assert checks["mujoco"]["state"] == "ok" and "they match" in checks["mujoco"]["detail"]
    assert checks["engines"]["detail"].startswith("native")


def test_keys_are_told_but_never_shown(quick: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("GOOGLE_API_KEY", "sk-very-secret")
    monkeypatch.setattr(doctor, "services", lambda config: [])
    checks = examined(capsys)
    assert checks["GEMINI_API_KEY or GOOGLE_API_KEY"]["detail"].startswith("set;")
    assert checks["OPENAI_API_KEY"]["detail"].startswith("not set;")
    assert "secret" not in json.dumps(checks)
    assert main(["doctor"]) == 0
    assert "secret" not in capsys.readouterr().out


def test_mismatched_versions_fail_with_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "installed", {"mujoco": "4.0.0", "mujoco-mjx": "3.17.0"}.get)
    check = doctor.physics()[0]
    assert check.state == "failed" and "4.0.0" in check.detail and check.advice


def test_a_check_that_breaks_stops_no_other(quick: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def broken() -> list[doctor.Check]:
        raise OSError("no such library")

    monkeypatch.setattr(doctor, "video", broken)
    checks = examined(capsys)
    assert checks["ffmpeg"]["state"] == "failed" and "no such library" in checks["ffmpeg"]["detail"]
    assert "wandb" in checks


def test_no_gl_is_told_with_the_packages_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MUJOCO_GL", raising=False)
    monkeypatch.setenv("__EGL_VENDOR_LIBRARY_DIRS", "/nonexistent")
    check = doctor.rendering()[0]
    if check.state == "ok":
        pytest.skip("this machine's EGL cannot be hidden")
    assert check.state == "failed" and "libegl1" in check.advice
    with pytest.raises(SystemExit, match="libegl1"):
        doctor.require_rendering()


@pytest.mark.gl
@pytest.mark.parametrize("wanted", ["osmesa", "glfw", "nonsense"])
def test_a_back_end_that_does_not_work_is_told_beside_the_one_that_draws(wanted: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setenv("MUJOCO_GL", wanted)
    check = doctor.rendering()[0]
    if check.detail.startswith(wanted):
        pytest.skip(f"{wanted} works here")
    assert check.state == "warning" and check.detail.startswith("egl") and f"MUJOCO_GL={wanted}" in check.detail
    doctor.require_rendering()


def test_drawing_that_is_switched_off_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUJOCO_GL", "off")
    assert doctor.rendering()[0].state == "warning" and "MUJOCO_GL=off" in doctor.rendering()[0].detail
    with pytest.raises(SystemExit, match="MUJOCO_GL=off"):
        doctor.require_rendering()


@pytest.mark.gl
def test_gl_is_found_where_it_is() -> None:
    assert doctor.rendering()[0].state == "ok"


def test_a_jail_without_a_layer_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    from movlr_jax.sandbox import prove

    monkeypatch.setattr(prove, "probe", lambda: {"seccomp": "active", "landlock": "not granted: old kernel"})
    check = doctor.sandbox()[0]
    assert check.state == "warning" and "landlock: not granted: old kernel" in check.detail and "1 of 2" in check.detail
    assert "files kept by seccomp, network kept by seccomp" in check.detail


def test_a_jail_that_leaves_something_open_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Landlock alone keeps neither modes nor names of files, and the other layers do not hold for it."""
    from movlr_jax.sandbox import prove

    some = {"seccomp": "not granted: old kernel", "landlock": "active", "network namespace": "active", "pid namespace": "active"}
    monkeypatch.setattr(prove, "probe", lambda: some)
    check = doctor.sandbox()[0]
    assert check.state == "failed" and "open: files, network, shared memory" in check.detail and "no reward text" in check.advice


def test_no_jail_at_all_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    from movlr_jax.sandbox import prove

    def none() -> dict[str, str]:
        raise prove.JailError("No jail here.")

    monkeypatch.setattr(prove, "probe", none)
    assert doctor.sandbox()[0].state == "failed"


def test_no_service_is_asked_where_none_is_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("movlr_jax.llm.factory.open_client", None)  # asking would fail
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")  # a key without an address names no server
    assert doctor.services() == []
    assert doctor.services(RunConfig(critic="offline", writer="random")) == []


def test_a_configured_server_is_asked_for_its_models(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pytest.importorskip("google.genai", reason="google-genai is not installed")
    pytest.importorskip("openai", reason="openai is not installed")
    key = "sk-very-secret"
    monkeypatch.setenv("GEMINI_API_KEY", key)
    with OpenAIServer(models=("tiny",)) as writer, GeminiServer(models=("gemini-test",), key=key) as critic:
        models = {"writer_model": "tiny", "writer_url": writer.url, "critic_model": "gemini-2.0-flash", "critic_url": critic.address}
        config = RunConfig.from_yaml(json.dumps({"critic": "gemini", "writer": "openai", "models": models}))
        addresses.allow(critic.address)
        watches, writes = doctor.services(config)
        monkeypatch.setenv("OPENAI_BASE_URL", writer.url)
        monkeypatch.delenv("GEMINI_API_KEY")
        (of_environment,) = doctor.services()
    assert (writes.name, writes.state) == ("openai for the writer", "ok") and "1 models: tiny" in writes.detail
    assert watches.state == "warning" and "without gemini-2.0-flash; it has gemini-test" in watches.detail
    assert "--models.critic-model" in watches.advice and of_environment.state == "ok"
    silent, keyless = doctor.services(config)[::-1]
    assert silent.state == "warning" and "is it running" in silent.detail and "set GEMINI_API_KEY" in keyless.detail
    assert not any(key in str(check) for check in (watches, writes, silent, keyless))
