"""Whether JAX can start with what the environment says of it; one sentence with the variable where it cannot.

Flows in: JAX_PLATFORMS, XLA_FLAGS and JAX's other variables, as the process finds them. Flows out: nothing, or a MovlrError. JAX itself
tells a platform that is not there by an error of its own or an empty assertion, in the middle of whatever used it first, and XLA ends the
process at a flag that it does not know.
"""

from __future__ import annotations

import functools
import os
import re
import subprocess

from movlr_jax.errors import MovlrError
from movlr_jax.processes import PYTHON

_READ_FLAGS = "from jaxlib import xla_client; xla_client.CompileOptions()"
_TIMEOUT_S = 60.0


def require_flags() -> None:
    """Refuse an XLA_FLAGS that XLA would end this process for; nothing is done where it is unset.

    Raises:
        MovlrError: it names an unknown flag, a value that a flag cannot have, or a file that is not there.
    """
    if flags := os.environ.get("XLA_FLAGS", "").strip():
        _require_flags(flags)


@functools.cache
def _require_flags(flags: str) -> None:
    try:
        ran = subprocess.run([*PYTHON, "-c", _READ_FLAGS], capture_output=True, text=True, errors="replace", timeout=_TIMEOUT_S)
    except (subprocess.TimeoutExpired, OSError):
        return  # nothing was learnt: JAX itself will tell
    # XLA puts the reason first: "E1129 07:14:24.323256 7964 command_line_flags.cc:63] Couldn't interpret value many for flag ..."
    reason = re.search(r"flags\w*\.cc:\d+\] (.*\S)", ran.stderr)
    if ran.returncode == 0 or not reason:
        return
    why = reason[1].rstrip(".")
    raise MovlrError(f"XLA_FLAGS={flags[:200]} would end the process ({why[:200]}): correct it, or unset it.")


@functools.cache
def require_devices() -> None:
    """Refuse an environment with which JAX finds no device; call it after the hosts were joined, and before JAX is used.

    Raises:
        MovlrError: JAX_PLATFORMS names a platform that is not there, or another variable has a value that JAX does not take.
    """
    require_flags()
    try:
        import jax

        jax.devices()
    # A missing plugin shows as an empty assertion, a missing driver as RuntimeError, a wrong value as ValueError.
    except Exception as error:
        raise MovlrError(fault(error) or f"JAX finds no device here ({_first_line(error)}): run `movlr doctor`.") from None


def fault(error: BaseException) -> str | None:
    """Return a sentence where an error of JAX's comes from a variable of the environment, None where it does not."""
    named = re.search(r"\b(?:JAX|XLA)_[A-Z0-9_]+|(?<=for JAX flag )jax_\w+", str(error))
    variable = named[0].upper() if named else ""
    starting = "Unable to initialize backend" in str(error) or (isinstance(error, AssertionError) and not str(error))
    if isinstance(error, RuntimeError | AssertionError) and starting and os.environ.get("JAX_PLATFORMS"):
        value = os.environ["JAX_PLATFORMS"]
        why = _first_line(error).replace(" (set JAX_PLATFORMS='' to automatically choose an available backend)", "")
        if isinstance(error, AssertionError):
            why = f"JAX has no plug-in for {value} that loads"
        return f"JAX_PLATFORMS={value} names what is not here ({why.rstrip('.')}): unset it, or install what it asks for (see README.md)."
    if isinstance(error, ValueError) and variable in os.environ:
        return f"{variable}={os.environ[variable][:80]} is not what JAX takes ({_first_line(error)}): correct it, or unset it."
    return None


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:300]
