"""`movlr morphologies [list|fetch|check|show]`: the bodies, how to get the missing ones, whether they are sound, what they look like.

In: names of bodies or of models' folders, folders, YAML files. Out: tables, sentences, a picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from movlr_jax.cli import console, flags
from movlr_jax.errors import MovlrError, did_you_mean

if TYPE_CHECKING:
    from movlr_jax.morphologies.manifest import Manifest

UNSOUND = 1


@dataclass(frozen=True)
class Options:
    """List the bodies: sizes, licence, where each was found and what is missing."""

    engine: str = ""
    """Also say what an engine changes in each body that is found, and how much it matters: warp or jax (plans a short walk of each)."""
    json: bool = False
    """Print a JSON list instead of a table."""


@dataclass(frozen=True)
class FetchOptions:
    """Download models into the cache: one folder of one commit by git, verified, put in place only when it is sound.

    What is accepted is pinned twice: by the commit, and by the hashes and sizes that this version knows, which hold for another
    commit or repository too. Broken off, the same command goes on where it stopped.
    """

    names: Annotated[tuple[str, ...], tyro.conf.Positional]
    """Bodies, or folders of the MuJoCo Menagerie: ms-human-700, ostrich."""
    repository: str = ""
    """URL or path of the git repository; empty: the MuJoCo Menagerie."""
    commit: str = ""
    """Commit, branch or tag; empty: the commit that the hashes were taken from."""


@dataclass(frozen=True)
class CheckOptions:
    """Verify models: files, hashes, compilation, sizes, standing. Exits with 1 if anything is unsound."""

    names: Annotated[tuple[str, ...], tyro.conf.Positional] = ()
    """Bodies, models' folders, or YAML files of your own; all that is found if left out."""
    engine: str = ""
    """Whether an engine takes them too: warp or jax, which lack some of MuJoCo's options."""


@dataclass(frozen=True)
class ShowOptions:
    """Draw a body's standing pose with its landmarks and planned joints into a PNG."""

    name: Annotated[str, tyro.conf.Positional]
    """The body: a name from `movlr morphologies`, or the YAML file of your own."""
    out: Path | None = None
    """The PNG; empty: NAME.png in the current folder."""


def main(argv: Sequence[str]) -> int:
    """Run the verb."""
    if argv and argv[0] in ("-h", "--help"):
        told = {
            "list": ("", Options),
            "fetch": ("NAME ...", FetchOptions),
            "check": ("[NAME ...]", CheckOptions),
            "show": ("NAME", ShowOptions),
        }
        print(flags.actions_help("morphologies", "The bodies; without a further word, the list.", told), end="")
        raise SystemExit(0)  # as the help of the other verbs
    if argv and not argv[0].startswith("-"):
        if argv[0] not in _ACTIONS:
            known = ", ".join(_ACTIONS)
            raise MovlrError(f"movlr morphologies cannot {argv[0]}: {did_you_mean(argv[0], _ACTIONS)}it can {known}.")
        return _ACTIONS[argv[0]](argv[1:])
    return list_bodies(argv)


def list_bodies(argv: Sequence[str]) -> int:
    """Run `movlr morphologies list`."""
    options = flags.parse(Options, argv, "morphologies list")
    from movlr_jax.morphologies import CATALOG, inventory
    from movlr_jax.physics import engines

    if options.engine:
        engines.choose(options.engine)
        if options.engine not in engines.MJX:
            raise MovlrError(f"The engine {options.engine} changes nothing in a body: ask for warp or jax.")
    records = [inventory.describe(name) for name in CATALOG]
    if options.engine:
        from movlr_jax.evaluation import engine_audit

        for record in records:
            if record["found"]:
                record |= engine_audit.changes(record["name"], options.engine)
    if options.json:
        console.print_json({"morphologies": records})
        return 0
    out = console.stdout()
    rows = [
        (
            r["name"] + (" (default)" if r["default"] else ""),
            r.get("muscles", "-"),
            r.get("joints", "-"),
            r.get("degrees_of_freedom", "-"),
            r.get("planned_joints", "-"),
            r["licence"],
            (r["folder"] or r["source"]) if r["found"] else "missing",
        )
        for r in records
    ]
    out.print(console.table("", ("name", "muscles", "joints", "freedoms", "planned", "licence", "found in"), rows))
    for r in records:
        for change in r.get("changes", ()):
            out.print(f"\n{r['name']}, {options.engine}: {change}", markup=False, soft_wrap=True)
        for line in r.get("effect", ()):
            out.print(f"  {line['what']}: {line['largest']:.1e} {line['unit']} (worst at {line['where']})", markup=False, soft_wrap=True)
        if options.engine and r["found"] and not r["changes"]:
            out.print(f"\n{r['name']}, {options.engine}: nothing is changed", markup=False)
        if not r["found"]:
            out.print(f"\n{r['name']}: {r['missing']}", markup=False, soft_wrap=True)
    return 0


def fetch_models(argv: Sequence[str]) -> int:
    """Run `movlr morphologies fetch`."""
    options = flags.parse(FetchOptions, argv, "morphologies fetch")
    from movlr_jax.morphologies import fetch, manifest

    if not options.names:
        raise MovlrError(f"Name what to fetch: {', '.join(m.folder for m in manifest.known())}.")
    wanted = {m.folder: m for m in map(manifest.get, options.names)}
    err = console.stderr()
    for model in wanted.values():
        columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed} of {task.total} files"), TimeElapsedColumn())
        with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
            task = bar.add_task(model.folder, total=None)
            last = ""

            def show(what: str, done: int, total: int, task: Any = task, bar: Progress = bar, model: Manifest = model) -> None:
                nonlocal last
                bar.update(task, description=f"{model.folder}: {what}", completed=done, total=total or None)
                line = f"{model.folder}: {what}" + (f", {done} of {total} files" if total else "")
                if not err.is_terminal and line != last:
                    err.print(line, markup=False, soft_wrap=True)
                last = line

            got = fetch.fetch(model, options.repository, options.commit, show)
        what = f"fetched from {got.repository} at {got.commit[:12]}, verified" if got.new else "was there already, verified"
        console.stdout().print(f"{model.folder} {what}: {got.folder} (licence {model.licence})", markup=False, soft_wrap=True)
    return 0


def check_models(argv: Sequence[str]) -> int:
    """Run `movlr morphologies check`."""
    options = flags.parse(CheckOptions, argv, "morphologies check")
    from movlr_jax.morphologies import CATALOG, inventory
    from movlr_jax.physics import engines

    if options.engine:
        engines.choose(options.engine)
        if options.engine not in engines.MJX:
            raise MovlrError(f"The engine {options.engine} takes every body: ask for warp or jax.")

    out = console.stdout()
    unsound = 0
    for name in options.names or [n for n in CATALOG if inventory.describe(n)["found"]]:
        wrong = faults(name, options.engine)
        unsound += bool(wrong)
        out.print(f"{name}: {'sound' if not wrong else f'{len(wrong)} found wrong'}", markup=False, soft_wrap=True)
        for sentence in wrong:
            out.print(f"  {sentence}", markup=False, soft_wrap=True)
    return UNSOUND if unsound else 0


def faults(name: str, engine: str = "") -> list[str]:
    """Return what is wrong with a body, a model's folder or a YAML file, a sentence each; nothing where it is sound.

    Args:
        name: which.
        engine: one of MJX's that is to take the body; "": none is options.

    Raises:
        MovlrError: nothing of that name is known.
    """
    from movlr_jax.control.laws import LAWS
    from movlr_jax.morphologies import CATALOG, catalog, custom, manifest, prepare, sources

    own = None
    if custom.names_file(name):
        own, wrong = custom.examined(Path(name), LAWS)
        if own is None:
            return wrong
    folder = Path(name)
    if name not in CATALOG and not custom.names_file(name):
        model = manifest.of(folder.resolve().name if folder.is_dir() else name)
        if model is None:
            known = [*CATALOG, *(m.folder for m in manifest.known())]
            raise MovlrError(f"Nothing is known of '{name}': {did_you_mean(name, known)}known are {', '.join(dict.fromkeys(known))}.")
        return manifest.deviations(folder if folder.is_dir() else sources.find_folder(model.folder), model)
    wrong = []
    model = manifest.of(name)
    if model is not None:
        wrong += manifest.deviations(sources.find_folder(model.folder), model)
    try:
        body = prepare.prepare(catalog.plan(name) if own is None else catalog.admitted(name, own))
        if engine:
            from movlr_jax.physics import mjx_model

            mjx_model.on_device(mjx_model.prepare(body, engine, body.model.opt.timestep).planned, engine)
    except MovlrError as error:
        wrong.append(str(error))
    return wrong


def show_body(argv: Sequence[str]) -> int:
    """Run `movlr morphologies show`."""
    options = flags.parse(ShowOptions, argv, "morphologies show")
    from movlr_jax import morphologies
    from movlr_jax.media import video_file
    from movlr_jax.media.portrait import portrait

    body = morphologies.load(options.name)
    path = options.out or Path(f"{body.name}.png")
    image = portrait(body)
    try:
        video_file.write_png(path, image)
    except OSError as error:
        raise MovlrError(f"{path} cannot be written ({error.strerror}): name another file with --out.") from None
    console.say(path)
    return 0


_ACTIONS = {"list": list_bodies, "fetch": fetch_models, "check": check_models, "show": show_body}
