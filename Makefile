# `make` says what there is. Needs Python 3.11 or newer, git and make; everything else is put into .venv.

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
WORKERS ?= 2

# The first Python that runs, is new enough, has wheels for all we pin, and can make an environment.
PYTHON ?= $(shell for name in python3 python3.13 python3.12 python3.11 python3.14 python; do \
	$$name -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' >/dev/null 2>&1 && { echo $$name; break; }; done)

.PHONY: help setup demo test bench clean
.DEFAULT_GOAL := help

help:
	@echo "make setup   put Surefoot and what it needs into $(VENV)"
	@echo "make demo    walk the whole road on real handwritten digits"
	@echo "make test    everything that must hold: style, types, imports, tests"
	@echo "make bench   measure the claims about speed"
	@echo "make clean   remove what these made, $(VENV) excepted"

setup: $(READY)

$(READY): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "No Python from 3.11 to 3.14 with venv was found. Install one (Debian: apt-get install python3-venv), or say make PYTHON=/path/to/python"; exit 1; }
	@echo "Setting up: about a minute, most of it PyTorch's download"
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev]"
	@touch $@

demo: setup
	$(BIN)/surefoot demo

# One thread a worker: two workers with two threads each on two cores are slower than either.
test: setup
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile

bench: setup
	$(BIN)/python -m benchmarks

clean:
	rm -rf build dist demo .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .benchmarks
	find src tests benchmarks examples -name __pycache__ -type d -prune -exec rm -rf {} +
