# One way to do each chore. Python 3.11 or newer and a package registry are all it takes.
PYTHON ?= python3
BIN := .venv/bin
# Bytecode is made when a module is first imported: most of what is installed never is. Containers often forbid it, and
# then every process would compile torch anew, for several seconds.
export PYTHONDONTWRITEBYTECODE :=
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile -c constraints.txt
PYTEST := $(BIN)/python -m pytest
# A worker a core, four at most because each loads torch; who has nothing left takes tests from the others.
WORKERS := -n logical --maxprocesses 4 --dist worksteal

# Threads that wait sleep: on a shared machine the others get on.
export OMP_WAIT_POLICY ?= PASSIVE

.PHONY: demo test quick lint types docs campaign board bench clean

demo: .venv/demo  ## a transfer on the shipped sample, ending in a leaderboard
	$(BIN)/cdner-bench run --method topt,bert-tagger --no-isolate --no-keep-model --setting demo --benchmark mini --out demo
	@echo 'to type cdner-bench yourself, first type: . .venv/bin/activate'

test: .venv/test lint types  ## everything that must hold
	@echo 'tests: some minutes, a line every few percent'
	$(PYTEST) $(WORKERS)

quick: .venv/test  ## the tests that need no real model and little time
	$(PYTEST) $(WORKERS) -m 'not slow'

lint: .venv/test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/test
	$(BIN)/mypy

docs: .venv/test  ## links, commands and names in the documentation
	$(PYTEST) tests/test_docs.py

# Two at a time, one thread each: a run takes longer, and two cores do more.
campaign: .venv/test  ## every row of CrossNER's boards that a CPU can make; goes on where it was stopped
	OMP_NUM_THREADS=1 nice -n 19 $(BIN)/cdner-bench run --campaign benchmarks/campaigns/crossner-cpu.toml --workers 2

board: .venv/demo  ## leaderboards/ from the result files
	$(BIN)/cdner-bench leaderboard

bench: .venv/test  ## what is timed, and against what
	$(BIN)/python perf/startup.py
	$(BIN)/python perf/core.py
	$(BIN)/python perf/linear.py
	$(BIN)/python perf/learning.py
	$(BIN)/python perf/tagger.py
	$(BIN)/python perf/topt.py
	PYTHONPATH=tests $(BIN)/python perf/prompting.py
	$(BIN)/python perf/density.py
	$(BIN)/python perf/surprisal.py
	$(BIN)/python perf/workers.py

clean:
	rm -rf .venv demo runs build dist

.venv/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo 'cdner-bench needs Python 3.11 or newer; type: make demo PYTHON=python3.11'; exit 1; }
	$(PYTHON) -m venv .venv
	touch $@

# torch first and exactly as pinned: what depends on it would pull another one.
.venv/torch: .venv/python constraints.txt
	@echo 'installing torch into .venv; it is large, this takes a minute or two'
	$(PIP) torch
	touch $@

.venv/demo: .venv/torch pyproject.toml
	@echo 'installing cdner-bench and what its methods need'
	$(PIP) --editable '.[torch]'
	touch $@

# Holds what the demo needs too.
.venv/test: .venv/torch pyproject.toml
	@echo 'installing cdner-bench and what its tests need'
	$(PIP) --editable '.[dev]'
	touch .venv/demo $@
