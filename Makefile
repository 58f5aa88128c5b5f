# make demo: set up, then run the main job on the embedded body.   make test: set up, then lint and tests.
# Everything lives in .venv, made from the versions in constraints/. PYTHON=python3.12 picks the interpreter.
.DEFAULT_GOAL := help
.PHONY: help setup demo test test-models test-release lint format clean check-gl

VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PYTEST_ARGS ?=

# Headless rendering and JAX on the CPU unless the caller says otherwise.
export MUJOCO_GL ?= egl

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## make .venv with the pinned versions

$(STAMP): pyproject.toml tools/setup.sh $(wildcard constraints/*.txt)
	@PYTHON="$(PYTHON)" VENV="$(VENV)" sh tools/setup.sh
	@touch $@

check-gl: $(STAMP)
	@$(BIN)/python -c "from movlr_jax.cli.doctor import require_rendering; require_rendering()"

demo: check-gl ## from a sentence to a better walk
	@$(BIN)/movlr run --config configs/demo.yaml

lint: $(STAMP) ## ruff, mypy, the order of the packages, and checks of the tree itself
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet . || { echo "lint: run make format"; exit 1; }
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/python tools/check_repo.py

test: lint ## lint, then every test that this machine can run
	@$(BIN)/python -m pytest -n auto --maxprocesses 4 $(PYTEST_ARGS)

test-models: ## CLIP and a real OpenAI-compatible server, in .venv-models (fetches torch: about 5 GB)
	@PYTHON="$(PYTHON)" VENV=.venv-models EXTRAS=dev,gemini,openai,clip,serve sh tools/setup.sh
	@.venv-models/bin/python -m pytest -p no:xdist tests/real $(PYTEST_ARGS)

test-release: $(STAMP) ## the built wheel in a fresh environment of each Python found (minutes each), and the whole tutorial
	@$(BIN)/python tools/test_release.py

format: $(STAMP) ## rewrite the sources the way lint wants them
	@$(BIN)/ruff check --quiet --fix .
	@$(BIN)/ruff format --quiet .

clean: ## remove the environment, caches and build outputs; runs/ stays
	rm -rf $(VENV) .venv-models build dist .pytest_cache .ruff_cache .mypy_cache .import_linter_cache *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
