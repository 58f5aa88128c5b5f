"""Outside: what a run's configuration names beyond its own folder, and whether this user has said so.

Flows in: a configuration, and where it stands. Flows out: nothing, or one sentence that names what is not known and the flag. Whether a key
goes to an address is asked again where a client is opened (`llm/addresses.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from movlr_jax import code_names, tasks
from movlr_jax.llm import addresses
from movlr_jax.llm.addresses import Kind
from movlr_jax.llm.config import Role
from movlr_jax.runs import methods
from movlr_jax.runs.config import RunConfig
from movlr_jax.tasks import Task

Service = Literal["gemini", "openai"]


def servers(config: RunConfig) -> Iterator[tuple[Role, Service, str]]:
    """Yield (role, service, address) of each role that a model plays at an address of its own."""
    watches: Service | None = _service(config.critic)
    writes = watches if methods.of(config).one_model else _service(config.writer)
    # A model that watches and writes is asked where the critic is.
    if watches is not None and config.models.critic_url:
        yield "critic", watches, config.models.critic_url
    if writes is not None and config.models.writer_url and not methods.of(config).one_model:
        yield "writer", writes, config.models.writer_url


def task(word: str, where: Path | str = "The configuration") -> Task:
    """Return the task of a word that a configuration holds; a user's own only where this user has named or allowed it.

    Args:
        word: a name of the registry, or a user's own: a Python file or a module, whose code is run.
        where: what the word is from, for people.

    Raises:
        MovlrError: there is no such task, or nobody but a file has named its code.
    """
    addresses.require_code(word, where)
    return tasks.find(word)


def require_known(config: RunConfig, folder: Path, where: Path | None = None) -> None:
    """Refuse to go on with a run whose folder alone names where its clips and texts would go, or whose code would be run.

    Args:
        config: the run's configuration.
        folder: the run's folder.
        where: the file that the configuration is from; the run's own if left out.

    Raises:
        MovlrError: an address, a folder or a task's code that this user has not named.
    """
    file = where or folder / "config.yaml"
    addresses.require_code(config.task, file)
    for role, service, url in servers(config):
        addresses.require_known(service, url, role, file)
    addresses.require_folder(config.models.cache, folder, "as the folder in which model calls are kept and looked for", file)


def require_keys_known(config: RunConfig) -> None:
    """Refuse a configuration under which a key would go where only a file says.

    Raises:
        MovlrError: as `addresses.key_goes`.
    """
    for role, service, url in servers(config):
        addresses.key_goes(service, url, role)


def remember(config: RunConfig) -> None:
    """Note that this user runs this configuration, so that the run goes on, without keys, where it began."""
    for _, service, url in servers(config):
        addresses.give(service, url, key=False)
    if code_names.names_code(config.task):
        addresses.give("code", config.task)
    if config.models.cache:
        addresses.give("folder", config.models.cache, key=False)


def targets(config: RunConfig) -> tuple[tuple[Kind, str], ...]:
    """Return what a configuration names outside: (service, "folder" or "code"; address, folder or task)."""
    named: list[tuple[Kind, str]] = [(service, url) for _, service, url in servers(config)]
    named += [("folder", config.models.cache)] if config.models.cache else []
    named += [("code", config.task)] if code_names.names_code(config.task) else []
    return tuple(named)


def _service(name: str) -> Service | None:
    return "gemini" if name == "gemini" else "openai" if name == "openai" else None
