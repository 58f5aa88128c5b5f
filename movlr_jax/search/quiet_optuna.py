"""Optuna, which is not always installed, without its log lines and the warnings that it gives of its own parts."""

from __future__ import annotations

import importlib.util
import warnings
from pathlib import Path
from typing import Any

from movlr_jax.errors import MovlrError


def need(package: str, missing: str) -> None:
    """Raise MovlrError with the sentence `missing` if a package is not installed."""
    if importlib.util.find_spec(package) is None:
        raise MovlrError(missing)


def optuna(missing: str = "Tuning needs Optuna: pip install 'movlr-jax[tune]'.") -> Any:
    """Return the package.

    Raises:
        MovlrError: it is not installed; `missing` says so.
    """
    need("optuna", missing)
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.filterwarnings("ignore", module="optuna")
    return optuna


def journal(path: Path) -> Any:
    """Return the storage in a file of a folder that the caller holds alone: a lock that stands beside it is a killed process's."""
    storages = optuna().storages
    path.with_name(f"{path.name}.lock").unlink(missing_ok=True)
    return storages.JournalStorage(storages.journal.JournalFileBackend(str(path)))
