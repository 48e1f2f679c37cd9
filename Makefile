# One way to do each chore. Python 3.11 or newer and a package registry are all it takes.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: demo test lint types docs board bench clean

demo: .venv/demo  ## a transfer on the shipped sample, ending in a leaderboard
	$(BIN)/cdner-bench run --method topt,bert-tagger --setting multi --benchmark mini --out demo

test: .venv/test lint types  ## everything that must hold
	$(BIN)/python -m pytest

lint: .venv/test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/test
	$(BIN)/mypy

docs: .venv/test  ## links, commands and names in the documentation
	$(BIN)/python -m pytest tests/test_docs.py

board: .venv/demo  ## leaderboards/ from the result files
	$(BIN)/cdner-bench leaderboard

bench: .venv/test  ## what is timed, and against what
	$(BIN)/python perf/core.py
	$(BIN)/python perf/linear.py
	$(BIN)/python perf/learning.py
	$(BIN)/python perf/tagger.py
	$(BIN)/python perf/topt.py
	PYTHONPATH=tests $(BIN)/python perf/prompting.py
	$(BIN)/python perf/density.py
	$(BIN)/python perf/surprisal.py

clean:
	rm -rf .venv demo runs build dist

.venv/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo 'cdner-bench needs Python 3.11 or newer; type: make demo PYTHON=python3.11'; exit 1; }
	$(PYTHON) -m venv .venv
	touch $@

# torch first and exactly as pinned: what depends on it would pull another one.
.venv/demo: .venv/python pyproject.toml constraints.txt
	@echo 'installing into .venv; torch is large, this takes a minute or two'
	$(PIP) torch
	$(PIP) --editable '.[torch]'
	touch $@

.venv/test: .venv/demo
	$(PIP) --editable '.[dev]'
	touch $@
