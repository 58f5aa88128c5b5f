"""`movlr doctor`: looks over this machine and says, line by line, what works and what to do about the rest.

Out: a table, or with --json {"checks": [{"name", "state", "detail", "advice"}]}. State is "ok", "warning" (a run works,
something is weaker or absent) or "failed" (a run cannot work). Keys are told as set or not set, never shown.
The exit code is 0: this is advice.
"""

from __future__ import annotations

import dataclasses
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from rich.text import Text

from movlr_jax import jax_environment
from movlr_jax._versions import installed
from movlr_jax.cli import console, flags
from movlr_jax.errors import MovlrError
from movlr_jax.llm import secrets
from movlr_jax.media import gl
from movlr_jax.processes import PYTHON, find_modules_where_installed

if TYPE_CHECKING:
    from movlr_jax.llm.config import ModelsConfig, Role
    from movlr_jax.runs.config import RunConfig

State = Literal["ok", "warning", "failed"]
_STYLES: dict[State, str] = {"ok": "green", "warning": "yellow", "failed": "red"}

APT_RENDERING = "apt-get install libegl1 libgl1-mesa-dri"
KEYS: dict[tuple[str, ...], str] = {
    ("WANDB_API_KEY",): "sends runs to Weights & Biases with --tracking online",
    secrets.GEMINI_KEYS: "for a critic or a writer on Gemini; goes to Google, or to an address that you named",
    secrets.OPENAI_KEYS: "for a critic or a writer on an OpenAI-compatible server; goes to OpenAI, localhost:8000, or one that you named",
}
# A service that does not answer in this time is told as such [s].
SERVICE_TIMEOUT_S = 5.0


@dataclass(frozen=True)
class Options:
    """Look over this machine: versions, engines, rendering, sandbox, bodies, keys (set or not, never shown), model services.

    A service is asked for its models only where a key or an address of it is set in the environment, or where --config FILE names one; it
    gets no key without --allow ADDRESS if only the file names it.
    """

    json: bool = False
    """Print the checks as JSON."""


@dataclass(frozen=True)
class Check:
    """One line of the doctor's report."""

    name: str
    state: State
    detail: str
    advice: str = ""


def python() -> list[Check]:
    """Check the interpreter."""
    good = (3, 11) <= sys.version_info[:2] <= (3, 13)
    return [
        Check(
            "python",
            "ok" if good else "failed",
            f"{platform.python_version()} on {platform.system()} {platform.machine()}, {os.cpu_count()} cores",
            "" if good else "use Python 3.11, 3.12 or 3.13",
        )
    ]


def physics() -> list[Check]:
    """Check MuJoCo, MJX and the engines."""
    c, mjx = installed("mujoco"), installed("mujoco-mjx")
    match = c is not None and c == mjx
    detail = f"mujoco {c or 'missing'}, mujoco-mjx {mjx or 'missing'}"
    checks = [
        Check("mujoco", "ok", f"{detail}: they match")
        if match
        else Check("mujoco", "failed", detail, "run make setup: the two must have one version")
    ]
    try:
        from movlr_jax.physics.engines import choose

        chosen = choose("auto")[1]
    except (MovlrError, ValueError):  # JAX does not start: its own line says why
        return [*checks, Check("engines", "failed", "JAX does not start, and every engine needs it", "see the line of jax")]
    warp = installed("warp-lang")
    built = f"native, warp, jax; warp-lang {warp}" if warp else "native, jax (warp needs warp-lang: pip install 'movlr-jax[cuda]')"
    return [*checks, Check("engines", "ok", f"{built}; auto chooses {chosen}")]


def packages() -> list[Check]:
    """Check what installed packages add by entry points."""
    from movlr_jax.control.laws import LAWS
    from movlr_jax.control.planners import PLANNERS
    from movlr_jax.control.proposals import PROPOSALS
    from movlr_jax.control.values import VALUES
    from movlr_jax.critics import CRITICS
    from movlr_jax.morphologies import CATALOG
    from movlr_jax.physics.engines import ENGINES
    from movlr_jax.tasks import TASKS
    from movlr_jax.writers import WRITERS

    names: list[str] = []
    faults: list[str] = []
    for registry in (TASKS, CATALOG, PLANNERS, LAWS, VALUES, PROPOSALS, ENGINES, CRITICS, WRITERS):
        try:
            for name in registry.added():
                try:
                    registry[name]
                    names.append(f"{registry.kind} {name}")
                except MovlrError as error:
                    faults.append(str(error))
        except MovlrError as error:  # two packages, one name
            faults.append(str(error))
    detail = f"installed packages add: {', '.join(names) or 'nothing'}"
    return [
        Check("packages", "warning", " ".join([*faults, detail]), "see docs/extending.md") if faults else Check("packages", "ok", detail)
    ]


def jax_devices() -> list[Check]:
    """Check JAX and name the accelerators, those that JAX can use and those that it cannot."""
    try:
        jax_environment.require_devices()
    except MovlrError as error:
        return [Check("jax", "failed", f"jax {installed('jax')}: {error}", "no verb that uses JAX starts until that is mended")]
    import jax

    devices = [d.platform if d.device_kind == d.platform else f"{d.platform} {d.device_kind}" for d in jax.devices()]
    checks = [Check("jax", "ok", f"jax {jax.__version__}, devices: {', '.join(devices)}")]
    if any(Path("/dev").glob("nvidia[0-9]*")):
        if jax.default_backend() == "gpu":
            checks.append(Check("gpu", "ok", f"{len(jax.devices())} used by JAX"))
        else:
            checks.append(Check("gpu", "warning", "an NVIDIA GPU is here, JAX does not see it", "pip install 'movlr-jax[cuda]'"))
    else:
        checks.append(Check("gpu", "ok", "none found, none needed"))
    return checks


# Draws as a clip is drawn, and prints the back end, then the renderer.
_GL_PROBE = """
import numpy
from movlr_jax.errors import MovlrError
from movlr_jax.media.studio import Camera, Studio
import mujoco
model = mujoco.MjModel.from_xml_string('<mujoco><worldbody><body><freejoint/><geom size=".3"/></body></worldbody></mujoco>')
try:
    with Studio(model, 64, 48) as studio:
        drawn = studio.shoot(model.qpos0, numpy.zeros(0), Camera(0, 0, 0, 2, 90, 0), 0.0)
        renderer = studio.renderer()
except MovlrError as error:
    raise SystemExit(str(error))
if drawn.std() < 5:
    raise SystemExit(f"{studio.backend} draws nothing")
print(studio.backend)
print(renderer)
"""


@dataclass(frozen=True)
class Rendering:
    """What came of trying to draw.

    Attributes:
        backend: which OpenGL drew; "" where none did.
        detail: its renderer; else what was said last.
    """

    backend: str
    detail: str


def try_rendering() -> Rendering:
    """Draw a picture in a process of its own, since a failure can take the process along."""
    try:
        ran = subprocess.run(
            [*PYTHON, "-c", _GL_PROBE],
            capture_output=True,
            text=True,
            timeout=120,
            env={**os.environ, "EGL_LOG_LEVEL": "fatal"},
        )
    except subprocess.TimeoutExpired:
        return Rendering("", "the driver does not answer")
    lines = ran.stdout.strip().splitlines()
    if ran.returncode == 0 and len(lines) >= 2:
        return Rendering(lines[-2], lines[-1])
    return Rendering("", (ran.stderr.strip().splitlines() or [f"the process that drew ended with {ran.returncode}"])[-1])


def rendering() -> list[Check]:
    """Check headless rendering, by the same way that clips take."""
    if gl.switched_off():
        detail = f"switched off by MUJOCO_GL={gl.wanted()}: there will be no clips"
        return [Check("rendering", "warning", detail, "unset MUJOCO_GL to get clips")]
    found = try_rendering()
    if not found.backend:
        return [Check("rendering", "failed", found.detail, f"clips cannot be drawn: {APT_RENDERING} (Debian, Ubuntu); unset MUJOCO_GL")]
    wanted = gl.wanted()
    if wanted in ("", found.backend, *gl.ON):
        return [Check("rendering", "ok", f"{found.backend}: {found.detail}")]
    why = "does not work here" if wanted in gl.BACKENDS else "is none that MuJoCo draws with here"
    return [Check("rendering", "warning", f"{found.backend}: {found.detail}; MUJOCO_GL={wanted} {why}", "unset MUJOCO_GL")]


def require_rendering() -> None:
    """Exit with one sentence where MuJoCo cannot draw (`make demo` asks before it starts)."""
    find_modules_where_installed()
    if gl.switched_off():
        sys.exit(f"A run films the body, and rendering is switched off by MUJOCO_GL={gl.wanted()}: unset it.")
    found = try_rendering()
    if not found.backend:
        sys.exit(f"A run films the body, and rendering does not work here ({found.detail}): {APT_RENDERING} (Debian, Ubuntu).")


def video() -> list[Check]:
    """Check the video encoder."""
    try:
        import imageio_ffmpeg

        program = Path(imageio_ffmpeg.get_ffmpeg_exe()).name
        return [Check("ffmpeg", "ok", f"{imageio_ffmpeg.get_ffmpeg_version()} ({program})")]
    except (ImportError, RuntimeError, OSError) as error:
        advice = "run make setup: imageio-ffmpeg brings its own ffmpeg"
        return [Check("ffmpeg", "failed", str(error).split("\n")[0], advice)]


def sandbox() -> list[Check]:
    """Check which layers of the jail this system grants."""
    from movlr_jax.sandbox.jail import kept_by
    from movlr_jax.sandbox.prove import JailError, probe

    try:
        layers = probe()
    except JailError as error:
        return [Check("sandbox", "failed", str(error), "no reward text can be proven here: run on Linux")]
    lacking = {name: state for name, state in layers.items() if state != "active"}
    if not lacking:
        return [Check("sandbox", "ok", f"all {len(layers)} layers of the jail are active")]
    detail = f"{len(layers) - len(lacking)} of {len(layers)} layers of the jail are active; " + ", ".join(
        f"{name}: {state}" for name, state in lacking.items()
    )
    kept = kept_by(layers)
    if not all(kept.values()):
        detail += f"; open: {', '.join(what for what, ways in kept.items() if not ways)}"
        advice = "no reward text can be proven here: allow seccomp or user namespaces, for example in a less restricted container"
        return [Check("sandbox", "failed", detail, advice)]
    detail += "; " + ", ".join(f"{what} kept by {' and by '.join(ways)}" for what, ways in kept.items())
    return [Check("sandbox", "warning", detail, "what is kept holds; on a shared machine run the search in a container")]


def models() -> list[Check]:
    """Check which bodies are found."""
    from movlr_jax.morphologies import CATALOG
    from movlr_jax.morphologies.inventory import describe

    checks = []
    for name in CATALOG:
        record = describe(name)
        if record["found"]:
            checks.append(Check(f"body {name}", "ok", f"{record['muscles']} muscles, from {record['source']}"))
        else:
            state: State = "failed" if record["default"] else "warning"
            checks.append(Check(f"body {name}", state, "not found", record["missing"]))
    return checks


def tracking_and_keys() -> list[Check]:
    """Check W&B and say which keys are set; no key is read further than that."""
    wandb = installed("wandb")
    checks = [Check("wandb", "ok", f"{wandb}; off unless --tracking asks for it")] if wandb else []
    if not wandb:
        detail = "not installed; runs are kept in local files all the same"
        checks.append(Check("wandb", "warning", detail, "pip install 'movlr-jax[wandb]'"))
    for names, use in KEYS.items():
        is_set = [n for n in names if os.environ.get(n)]
        checks.append(Check(" or ".join(names), "ok", f"{'set' if is_set else 'not set'}; {use}"))
    return checks


def services(config: RunConfig | None = None) -> list[Check]:
    """Ask the configured model services for their models, and say what is missing; nothing configured, nothing asked.

    Args:
        config: of a run; None looks at the environment alone.
    """
    from movlr_jax.llm.config import SERVICES, ModelsConfig

    models = ModelsConfig() if config is None else config.models
    # service, address -> roles that it plays
    options: dict[tuple[str, str], list[Role]] = {}
    if config is not None:
        roles: tuple[tuple[Role, str], ...] = (("critic", config.critic), ("writer", config.writer))
        for role, service in roles:
            if service in SERVICES:
                options.setdefault((service, models.url(role)), []).append(role)
    elif secrets.find(secrets.GEMINI_KEYS):
        options[("gemini", "")] = []
    if config is None and os.environ.get("OPENAI_BASE_URL", "").strip():
        options[("openai", "")] = []
    return [_service(service, url, played, models) for (service, url), played in options.items()]


def _service(service: str, url: str, roles: list[Role], models: ModelsConfig) -> Check:
    from movlr_jax.llm.factory import open_client
    from movlr_jax.llm.faults import Fault

    name = f"{service} for the {' and the '.join(roles)}" if roles else service
    try:
        role = roles[0] if roles else "critic"
        client = open_client(service, models.model(role, service), url, _hasty(models), role=role)
        found = client.models()
    except Fault as fault:
        return Check(name, "warning", fault.sentence, "a run that asks this service stops until it answers")
    except MovlrError as error:
        return Check(name, "warning", str(error), "a run that asks this service does not start")
    where = f" at {url}" if url else ""
    listed = ", ".join(found[:8]) + (", ..." if len(found) > 8 else "")
    missing = [model for model in (models.model(role, service) for role in roles) if model not in found]
    if missing:
        wanted = " and ".join(dict.fromkeys(missing))
        advice = f"name one that it has with {' or '.join(f'--models.{role}-model' for role in roles)}"
        return Check(name, "warning", f"answers{where}, without {wanted}; it has {listed or 'no models'}", advice)
    return Check(name, "ok", f"answers{where}, {len(found)} models: {listed}")


def _hasty(models: ModelsConfig) -> ModelsConfig:
    return dataclasses.replace(models, timeout_s=SERVICE_TIMEOUT_S)


def examine(config: RunConfig | None = None) -> list[Check]:
    """Run every check; one that itself fails is reported as a failed line and stops no other.

    Args:
        config: of a run whose model services are options; None looks at the environment alone.
    """
    groups: tuple[tuple[str, Callable[[], list[Check]]], ...] = (
        ("python", python),
        ("mujoco", physics),
        ("packages", packages),
        ("jax", jax_devices),
        ("rendering", rendering),
        ("ffmpeg", video),
        ("sandbox", sandbox),
        ("bodies", models),
        ("tracking", tracking_and_keys),
        ("services", lambda: services(config)),
    )
    found: list[Check] = []
    for name, group in groups:
        try:
            found += group()
        except Exception as error:  # an examination reports whatever is broken, of any kind
            said = f"{type(error).__name__}: {error}".split("\n")[0]
            told = str(error) if isinstance(error, MovlrError) else jax_environment.fault(error)
            found.append(Check(name, "failed", told or said, "do what it says" if told else "run make setup"))
    return found


def main(argv: Sequence[str]) -> int:
    """Run the verb."""
    file, words = flags.take_config(argv)
    options = flags.parse(Options, words, "doctor [--config FILE]")
    config = None
    if file is not None:
        from movlr_jax.runs.config import RunConfig

        config = RunConfig.load(file)
    checks = examine(config)
    if options.json:
        console.print_json({"checks": [asdict(c) for c in checks]})
        return 0
    out = console.stdout()
    rows = [(c.name, Text(c.state, style=_STYLES[c.state]), c.detail + (f"\n-> {c.advice}" if c.advice else "")) for c in checks]
    out.print(console.table("", ("", "", ""), rows))
    failed = sum(c.state == "failed" for c in checks)
    warned = sum(c.state == "warning" for c in checks)
    if failed:
        out.print(f"\n{failed} failed: a run will not work until the lines marked -> are followed.")
    else:
        out.print("\nReady." + (f" {warned} warnings: what they name is missing, all else works." if warned else ""))
    return 0
