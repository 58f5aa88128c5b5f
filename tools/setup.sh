#!/bin/sh
# Makes the virtual environment that `make` works in: finds a Python, creates VENV (uv if present, else python -m venv),
# installs the project and its pinned dependencies from constraints/. Called by the Makefile; safe to call again.
# Reads: PYTHON (interpreter to use), VENV (folder, default .venv), EXTRAS (default dev,wandb,gemini,openai,rl,sweep,notebook).
set -eu

VENV=${VENV:-.venv}
EXTRAS=${EXTRAS:-dev,wandb,gemini,openai,rl,sweep,notebook}
SUPPORTED="Python 3.11, 3.12 or 3.13"

say() { printf '%s\n' "setup: $*"; }
die() { printf '%s\n' "setup: $*" >&2; exit 1; }
# Running the interpreter, not looking for its file: version managers leave names on PATH that only print an error.
supported() { "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' >/dev/null 2>&1; }

find_python() {
    if [ -n "${PYTHON:-}" ]; then
        supported "$PYTHON" || die "PYTHON=$PYTHON is not $SUPPORTED: name one that is, for example make setup PYTHON=python3.12."
        printf '%s\n' "$PYTHON"
        return
    fi
    for candidate in python3 python3.12 python3.13 python3.11 python; do
        if supported "$candidate"; then
            printf '%s\n' "$candidate"
            return
        fi
    done
    # uv can fetch an interpreter of its own; without it there is nothing to build on.
    if command -v uv >/dev/null 2>&1; then
        printf '%s\n' 3.12
        return
    fi
    die "no $SUPPORTED found: install one (on Debian or Ubuntu: apt-get install python3 python3-venv) or uv, then run make again."
}

if [ -e "$VENV" ] && ! supported "$VENV/bin/python"; then
    say "$VENV does not hold $SUPPORTED; making it anew."
    rm -rf "$VENV"
fi

if [ ! -e "$VENV" ]; then
    python=$(find_python)
    say "creating $VENV with $python"
    if ! { command -v uv >/dev/null 2>&1 && uv venv --quiet --python "$python" "$VENV"; }; then
        "$python" -m venv "$VENV" || {
            rm -rf "$VENV"
            die "$python cannot make a virtual environment: install its venv module (on Debian or Ubuntu: apt-get install python3-venv) or uv."
        }
    fi
fi

version=$("$VENV/bin/python" -c 'import sys; print("%d%d" % sys.version_info[:2])')
pins=constraints/py$version.txt
say "installing the versions in $pins"

# setuptools comes first and pinned, so that building the project itself needs no second, unpinned environment.
with_uv() {
    command -v uv >/dev/null 2>&1 &&
        uv pip install --quiet --python "$VENV/bin/python" -c "$pins" setuptools &&
        uv pip install --quiet --python "$VENV/bin/python" -c "$pins" --no-build-isolation -e ".[$EXTRAS]"
}
with_pip() {
    { "$VENV/bin/python" -m pip --version >/dev/null 2>&1 || "$VENV/bin/python" -m ensurepip >/dev/null; } &&
        "$VENV/bin/python" -m pip install --quiet -c "$pins" setuptools &&
        "$VENV/bin/python" -m pip install --quiet -c "$pins" --no-build-isolation -e ".[$EXTRAS]"
}
with_uv || with_pip ||
    die "the packages in $pins could not be installed: the lines above say why (no network, or a package index that lacks one of them)."

"$VENV/bin/python" -c 'import movlr_jax' || die "the project was installed and does not import: the line above says why."
say "done: $VENV"
