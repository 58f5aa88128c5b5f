"""Optuna, which is not always installed: without its log lines and the warnings that it gives of its own parts, and without what would let
a study's file run code.

A study stands in a folder, which may come from someone else. Its journal is JSON, but the CMA-ES sampler keeps its state there as a pickle,
which can name any function of any module. Here that state is read by an unpickler that knows the optimiser's own parts and nothing else.
"""

from __future__ import annotations

import importlib.util
import io
import os
import pickle
import warnings
from pathlib import Path
from typing import Any

from movlr_jax import atomic
from movlr_jax.errors import MovlrError

_MOST = 256 << 20  # bytes of a study; a thousand trials of CMA-ES over twenty weights have some 50 MB


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


def study(path: Path, name: str, direction: str) -> Any:
    """Return the study in a file of a folder that the caller holds alone, a new one where there is none.

    Raises:
        MovlrError: the file is no study's, or larger than any.
    """
    package, cure = optuna(), "restore it, or choose another folder"
    storages = package.storages
    path.with_name(f"{path.name}.lock").unlink(missing_ok=True)  # a killed process's
    try:
        if os.path.lexists(path):
            atomic.read_bytes(path, _MOST)
        backend = storages.journal.JournalFileBackend(str(path), lock_obj=storages.journal.JournalFileOpenLock(str(path)))
        return package.create_study(study_name=name, storage=storages.JournalStorage(backend), direction=direction, load_if_exists=True)
    except MovlrError:
        raise
    except OSError as error:
        raise MovlrError(f"{path} cannot be opened ({error.strerror}): {cure}.") from None
    # What a damaged journal makes Optuna raise is of every kind.
    except Exception as error:
        raise MovlrError(f"{path} is no study ({type(error).__name__}: {str(error)[:200]}): {cure}.") from None


def cmaes(seed: int) -> Any:
    """Return the CMA-ES sampler; the state that it finds in a study runs no code."""
    samplers = optuna().samplers

    class Sampler(samplers.CmaEsSampler):  # type: ignore[misc, name-defined]
        def _restore_optimizer(self, completed_trials: list[Any]) -> Any:
            for trial in reversed(completed_trials):
                parts = {key: value for key, value in trial.system_attrs.items() if key.startswith(self._attr_key_optimizer)}
                if parts:
                    return _optimiser(self._concat_optimizer_attrs(parts))
            return None

    return Sampler(seed=seed, warn_independent_sampling=False)


def _optimiser(text: str) -> Any:
    """Return the state of a CMA-ES optimiser from the text that its sampler keeps.

    Raises:
        MovlrError: it is none.
    """
    try:
        optimiser = _Unpickler(io.BytesIO(bytes.fromhex(text))).load()
    # Bytes that are no pickle make the unpickler raise errors of every kind.
    except Exception as error:
        raise MovlrError(f"The study's state of CMA-ES is none ({str(error)[:200]}): choose another folder.") from None
    if type(optimiser).__module__.partition(".")[0] != "cmaes":
        raise MovlrError("The study's state of CMA-ES is of another kind: choose another folder.")
    return optimiser


class _Unpickler(pickle.Unpickler):
    """Reads the optimiser's own classes, NumPy's arrays and its random state: data, and what puts data together."""

    _known = frozenset(
        {
            *(("cmaes._cma", "CMA"), ("cmaes._sepcma", "SepCMA"), ("cmaes._cmawm", "CMAwM")),
            *(("numpy", "ndarray"), ("numpy", "dtype"), ("numpy._core.multiarray", "_reconstruct"), ("numpy._core.multiarray", "scalar")),
            *(("numpy._core.numeric", "_frombuffer"), ("numpy.random._mt19937", "MT19937")),
            *(("numpy.random._pickle", name) for name in ("__randomstate_ctor", "__bit_generator_ctor")),
        }
    )

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in self._known:
            raise pickle.UnpicklingError(f"it names {module}.{name}")
        return super().find_class(module, name)
