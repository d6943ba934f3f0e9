# Everything a newcomer needs: make demo, make test. The rest is for those who stay.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet --no-input

.PHONY: help install demo test lint bench lock format

help:
	@echo "make demo   the whole thing in a browser    make test   format, lint, types, layers, tests"
	@echo "make bench  against the usual stacks        make lock   renew locks/ from pyproject.toml"

install: $(VENV)/.server
demo: install
	@$(BIN)/python -m bot demo

test: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -n auto --dist loadfile

format: $(VENV)/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/.bench
	$(BIN)/python -m benchmarks

# Locks hold exact versions with hashes and no index address; pip takes the index from its own settings.
lock:
	$(PYTHON) -m venv build/lock && build/lock/bin/pip install -q uv
	for set in server: dev:"--extra dev -c locks/server.txt" bench:"--extra dev --extra bench -c locks/dev.txt"; do \
	  build/lock/bin/uv pip compile pyproject.toml --universal --python-version 3.11 --upgrade --quiet \
	    --generate-hashes --no-emit-index-url --no-emit-find-links --no-header \
	    --extra train $${set#*:} -o locks/$${set%%:*}.txt || exit 1; \
	done

$(BIN)/python:
	@echo "→ $(VENV): a virtual environment with $$($(PYTHON) --version)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed")'
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.server: locks/server.txt pyproject.toml | $(BIN)/python
	@echo "→ installing what the server needs (one or two minutes)"
	@$(PIP) install --require-hashes -r locks/server.txt
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: locks/dev.txt $(VENV)/.server
	@echo "→ installing what the tests need"
	@$(PIP) install --require-hashes -r locks/dev.txt
	@touch $@

$(VENV)/.bench: locks/bench.txt $(VENV)/.server
	@echo "→ installing what the benchmark compares with"
	@$(PIP) install --require-hashes -r locks/bench.txt
	@touch $@
