"""Typed options: a frozen dataclass becomes flags and help (tyro); a mistake is told in one sentence, not a page.

In: a dataclass, the words after the verb, the values that hold where no flag is given. Out: an instance of it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import inspect
import io
import itertools
import re
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from movlr_jax.errors import MovlrError

T = TypeVar("T")

CONFIG_FLAG = "--config"


def parse(options: type[T], argv: Sequence[str], verb: str, default: T | None = None, about: str | None = None) -> T:
    """Read the flags of one verb.

    Args:
        options: a dataclass; each field's docstring is its help.
        argv: the words after the verb.
        verb: its name, for the help's usage line.
        default: the instance whose values hold where no flag is given.
        about: the help's text; the dataclass's docstring by default.

    Returns:
        The filled dataclass. `--help` prints and raises SystemExit(0) inside tyro, which is passed on.

    Raises:
        MovlrError: a flag or a value cannot be understood.
    """
    import tyro

    conf = tyro.conf
    # Every switch can be set either way, whatever a configuration says, and both its names read as what they do: --prune, --no-prune.
    markers = (conf.HelptextFromCommentsOff, conf.PositionalMetavarFromFieldName)
    told = io.StringIO()
    default = _of_kinds(options, argv, default)
    more: dict[str, Any] = {} if default is None else {"default": default}
    try:
        # tyro prints its page of advice to stderr before it exits; only its first sentence is passed on.
        with contextlib.redirect_stderr(told):
            return tyro.cli(options, prog=f"movlr {verb}", description=about, args=list(argv), config=markers, **more)
    except SystemExit as stopped:
        if stopped.code in (0, None):
            raise
        sentence = _first_sentence(told.getvalue(), verb)
        if sentence.startswith("There is no option"):
            sentence = _of_another_kind(options, argv) or sentence
        raise MovlrError(sentence) from None
    except MovlrError as error:
        # Records name their own values; here a value is a flag.
        raise MovlrError(re.sub(r"^[a-z_.]+(?= (?:is|has) )", lambda name: f"--{name[0].replace('_', '-')}", str(error))) from None


def _several_kinds(options: type) -> dict[str, Any]:
    """Return the records of a verb's options that are of several kinds, as the planner: field -> type."""
    return {field: hint for field, hint in get_type_hints(options).items() if hasattr(hint, "as_kind")}


def _of_kinds(options: type[T], argv: Sequence[str], default: T | None) -> T | None:
    """Return a verb's defaults in which a record of several kinds is of the kind that a word names: --planner.name icem.

    So flags and help are those of that kind, and what the defaults say of settings that it has too goes on to hold.
    """
    for field in _several_kinds(options):
        flag = f"--{field}.name"
        given = [after for word, after in itertools.pairwise([*argv, ""]) if word == flag and after]
        given += [word.partition("=")[2] for word in argv if word.startswith(f"{flag}=")]
        if given:
            default = options() if default is None else default
            default = dataclasses.replace(default, **{field: getattr(default, field).as_kind(given[-1])})  # type: ignore[type-var]
    return default


def _of_another_kind(options: type, argv: Sequence[str]) -> str:
    """Return a sentence for a word that is a setting of another kind of a record than the one that the words choose; "" for none."""
    for field, hint in _several_kinds(options).items():
        for setting in (word.partition("=")[0].split(".", 1)[1] for word in argv if word.startswith(f"--{field}.")):
            name = setting.removeprefix("no-").replace("-", "_")
            having = [kind.name for kind in hint.kinds() if name in get_type_hints(kind)]
            if having and len(having) < len(hint.kinds()):
                return f"--{field}.{setting} is a setting of {', '.join(having)}: name one of them by --{field}.name."
    return ""


def _first_sentence(page: str, verb: str) -> str:
    """Return one sentence of our own for the page that tyro printed; its own first words where they are not known."""
    # A terminal gets box-drawing characters, a pipe gets ASCII.
    lines = [re.sub(r"^[│|╭╰+]\s?|\s*[│|╮╯+]$", "", line.strip()).strip() for line in page.splitlines()]
    body: list[str] = []
    for line in lines[1:]:
        if body and line and not line.strip("─-"):
            break
        if line.strip("─-"):
            body.append(line)
    said = " ".join(body)
    rest = " ".join(lines)
    suggested = re.search(r"Perhaps you meant:?[\s─-]*(--[\w.-]+)", rest)
    if unknown := re.match(r"Unrecognized options: (\S+?),?(\s|$)", said):
        sentence = f"There is no option {unknown[1]}" + (f", did you mean {suggested[1]}?" if suggested else ".")
    elif missing := re.match(r"Missing from [^:]*: (\S+) (.*?)\.? \(required\)", said):
        sentence = f"{missing[1]} is missing ({missing[2][0].lower()}{missing[2][1:]})."
    elif missing := re.match(r"Missing value for argument '([^']+)'", said):
        sentence = f"A value for {missing[1] if missing[1].startswith('-') else missing[1].upper()} is missing."
    elif wrong := re.match(r"Error parsing (--[\w.-]+): .*?\[(.*?)\]", said):
        kind = re.search(rf"{wrong[1]} (\S+)", rest[rest.find("helptext") :])
        takes = kind[1].replace("{None}|", "").strip("[]") if kind else "another kind of value"
        sentence = f"{wrong[1]} takes {takes}, not {wrong[2]}."
    else:
        sentence = f"{(said or 'The command line cannot be understood').rstrip('.')}."
        sentence = sentence[0].upper() + sentence[1:]
    named = " ".join(itertools.takewhile(lambda word: word.replace("-", "").isalpha() and word.islower(), verb.split()))
    return f"{sentence} (movlr {named} --help lists the options)"


def actions_help(verb: str, about: str, actions: Mapping[str, tuple[str, type]]) -> str:
    """Return the help of a verb that does one of several things.

    Args:
        verb: its name.
        about: what it is without any of them.
        actions: name -> the words that it takes, and its options.
    """
    width = max(len(f"{name} {words}".rstrip()) for name, (words, _) in actions.items())
    lines = [f"usage: movlr {verb} [{' | '.join(actions)}] [OPTIONS]", "", about, ""]
    for name, (words, record) in actions.items():
        told = (inspect.getdoc(record) or "").partition("\n\n")[0].replace("\n", " ")
        lines += textwrap.wrap(told, 76, initial_indent=f"  {f'{name} {words}'.rstrip():<{width}}  ", subsequent_indent=" " * (width + 4))
    return "\n".join([*lines, "", f"movlr {verb} {next(iter(actions))} --help: its options, and so for the others", ""])


def names(argv: Sequence[str], flag: str) -> bool:
    """Return whether a flag (its name, without the dashes before it) stands among the words, in any spelling that is understood."""
    plain = flag.replace("_", "-")
    return any(word.startswith("--") and word.partition("=")[0].replace("_", "-") == f"--{plain}" for word in argv)


def gather(argv: Sequence[str], *flags: Sequence[str]) -> list[str]:
    """Return the words with flags that were given more than once joined into one: `--reward a --reward b` is `--reward a b`.

    Args:
        argv: the words after the verb.
        flags: each the names of one flag that takes any number of values.
    """
    first: dict[str, list[str]] = {}
    groups: list[list[str]] = [[]]
    name_of = {name: names[0] for names in flags for name in names}
    for word in argv:
        flag, given, value = word.partition("=")
        if not word.startswith("--"):
            groups[-1].append(word)
            continue
        group = [flag, value] if given and flag in name_of else [word]
        known = name_of.get(flag)
        if known in first:
            first[known] += group[1:]
            groups.append(first[known])
        else:
            groups.append(group)
            if known:
                first[known] = group
    kept = [group for i, group in enumerate(groups) if all(group is not other for other in groups[:i])]
    return [word for group in kept for word in group]


def take_config(argv: Sequence[str]) -> tuple[Path | None, list[str]]:
    """Split `--config FILE` off the words and return (FILE or None, the other words).

    Raises:
        MovlrError: --config stands without a file.
    """
    rest: list[str] = []
    found: Path | None = None
    words = iter(argv)
    for word in words:
        if word == CONFIG_FLAG:
            name = next(words, None)
            if name is None:
                raise MovlrError("--config needs a file: for example --config configs/demo.yaml.")
            found = Path(name)
        elif word.startswith(f"{CONFIG_FLAG}="):
            found = Path(word.partition("=")[2])
        else:
            rest.append(word)
    return found, rest
