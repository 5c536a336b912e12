# realtalk: `make help` lists what can be made.
.DEFAULT_GOAL := help
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PIP_INSTALL = $(BIN)/python -m pip install --quiet --constraint constraints.txt

export OMP_NUM_THREADS ?= 1
export PIP_DISABLE_PIP_VERSION_CHECK ?= 1

.PHONY: help setup demo test test-slow test-pyannote check bench pictures format clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16

setup: $(STAMP) ## make .venv with realtalk in it

$(STAMP): setup.py constraints.txt
	@command -v $(PYTHON) >/dev/null 2>&1 || { echo "setup: $(PYTHON) is not on PATH; install CPython 3.11 or say make PYTHON=/path/to/python"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(PIP_INSTALL) --upgrade pip 'setuptools>=77.0.3,<82' wheel
	$(PIP_INSTALL) --editable '.[dev]'
	@touch $@

demo: setup ## speak a short podcast, build a dataset from its feed, train a voice on it that speaks
	$(BIN)/python -m pipeline.demo --out demo

test: setup ## run the tests
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not slow"

test-slow: setup ## run the tests of whole builds and trainings, which take minutes
	$(BIN)/python -m pytest -n 2 --dist loadfile -m slow

test-pyannote: ## make .venv-pyannote as a user would, and run the tests of pyannote.audio in it
	$(PYTHON) -m venv $(VENV)-pyannote
	$(VENV)-pyannote/bin/python -m pip install --quiet '.[pyannote]' 'pytest>=8,<10'
	$(VENV)-pyannote/bin/python -m pytest tests/transforms/models/test_pyannote.py tests/transforms/models/test_pyannote_without.py \
		tests/pipeline/test_pyannote_build.py

bench: setup ## make podcasts with exact truth, build, score, print one table (ARGS="--only lj-201")
	$(BIN)/python tests/benchmarks/bench.py $(ARGS)

pictures: demo ## draw docs/report.png, the report of the demonstration (takes Chromium)
	chromium --headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking --hide-scrollbars \
		--user-data-dir=$$(mktemp -d) --window-size=1280,1500 --screenshot=docs/report.png demo/dataset/report/index.html

check: setup ## lint, check formatting and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: setup ## format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean: ## remove what make made
	rm -rf $(VENV) $(VENV)-pyannote build *.egg-info demo bench .pytest_cache .mypy_cache .ruff_cache
