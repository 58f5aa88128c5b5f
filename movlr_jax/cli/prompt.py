"""`movlr prompt list | show RUN ITERATION`: the prompts with their versions, and what was sent to a model in a run, in full.

In: the package's prompt files, or the records in a run's folder. Out: text on stdout. Pictures and clips are named, not shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from movlr_jax.cli import console, flags
from movlr_jax.errors import MovlrError, did_you_mean
from movlr_jax.plain_words import plain_text

# --stage -> names of the files of calls.
_FILES = {"critique": "critique.json", "compare": "prefer.json", "write": "write-*.json"}


@dataclass(frozen=True)
class ListOptions:
    """List the prompts with their versions; a version is the start of the SHA-256 of the prompt's file."""


@dataclass(frozen=True)
class ShowOptions:
    """Print in full what was sent to models in one iteration of a run."""

    folder: Annotated[Path, tyro.conf.Positional]
    """The run's folder."""
    iteration: Annotated[int, tyro.conf.Positional]
    """The iteration's number; 0 is the start reward's."""
    stage: Literal["all", "critique", "compare", "write"] = "all"
    """Only what was sent to criticise, to compare, or to write."""
    answers: bool = False
    """Print what came back as well."""


def main(argv: Sequence[str]) -> int:
    """Run the verb."""
    if argv and argv[0] in ("-h", "--help"):
        told = {"list": ("", ListOptions), "show": ("FOLDER ITERATION", ShowOptions)}
        print(flags.actions_help("prompt", "The prompts, and what was sent to models; without a further word, the list.", told), end="")
        raise SystemExit(0)  # as the help of the other verbs
    if argv and not argv[0].startswith("-"):
        if argv[0] not in _ACTIONS:
            raise MovlrError(f"movlr prompt cannot {argv[0]}: {did_you_mean(argv[0], _ACTIONS)}it can {', '.join(_ACTIONS)}.")
        return _ACTIONS[argv[0]](argv[1:])
    return list_prompts(argv)


def list_prompts(argv: Sequence[str]) -> int:
    """Run `movlr prompt list`."""
    flags.parse(ListOptions, argv, "prompt list")
    from movlr_jax.prompts import prompt

    rows = [(name, prompt.load(name).version, about) for name, about in prompt.NAMES.items()]
    console.stdout().print(console.table("", ("prompt", "version", "asks for"), rows))
    return 0


def show_prompt(argv: Sequence[str]) -> int:
    """Run `movlr prompt show`."""
    options = flags.parse(ShowOptions, argv, "prompt show")
    from movlr_jax.runs.run_folder import RunFolder

    folder = RunFolder.find(options.folder)
    place = folder.iteration(options.iteration).path
    if not place.is_dir():
        raise MovlrError(f"{options.folder} has no iteration {options.iteration}: give a number from 0 to {len(folder.rows()) - 1}.")
    stages = list(_FILES) if options.stage == "all" else [options.stage]
    found = [(where, call) for stage in stages for where, call in _calls(place, _FILES[stage])]
    if not found:
        to = "" if options.stage == "all" else f" to {options.stage}"
        raise MovlrError(f"No model was asked{to} in iteration {options.iteration} of {options.folder}.")
    console.say("\n".join(plain_text(line) for where, call in found for line in _told(where, call, options.answers)))
    return 0


def _calls(place: Path, pattern: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield (where it was kept, call) of an iteration: those of the chosen candidate, then those of the others."""
    from movlr_jax.runs import records

    for folder in (place, *sorted((place / "candidates").glob("*"))):
        for path in sorted((folder / "calls").glob(pattern)):
            for call in records.read(path):
                yield str(path.relative_to(place).with_suffix("")), call


def _told(where: str, call: Mapping[str, Any], answers: bool) -> Iterator[str]:
    from movlr_jax.prompts import prompt

    request = call["request"]
    name = str(call["prompt"]).partition("@")[0]
    current = prompt.load(name).label if name in prompt.NAMES else call["prompt"]
    changed = "" if current == call["prompt"] else f" (now {current})"
    model = call.get("model") or request.get("model") or "a model"
    yield f"===== {where}: {call['prompt']}{changed} to {model}, temperature {request['temperature']:g}"
    yield "----- system"
    yield request["system"]
    yield "----- request"
    yield "".join(part["text"] if "text" in part else _media(part) for part in request["parts"])
    if request.get("schema"):
        yield f"----- form of the answer: {request['schema'].get('title', 'JSON')}"
    for turn in request["exchange"]:
        yield "----- an earlier answer"
        yield turn["answer"]
        yield "----- what was said of it"
        yield turn["complaint"]
    if answers:
        yield "----- answer"
        thought = f"(thought aloud, and no answer:)\n{call['thoughts']}" if call.get("thoughts") else ""
        yield call["response"] or thought if call["response"] is not None else f"(none: {call['fault']['sentence']})"
    yield ""


def _media(part: Mapping[str, Any]) -> str:
    """Return what stands for a picture or a clip."""
    kind, what = next(iter(part.items()))
    rate = f", {what['frames_per_second']:g} frames a second" if "frames_per_second" in what else ""
    return f"[{kind}: {what['bytes']} bytes, SHA-256 {what['sha256'][:12]}{rate}]\n"


_ACTIONS = {"list": list_prompts, "show": show_prompt}
