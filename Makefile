PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test lint bench cassettes clean

demo: $(VENV)/.installed
	sh docs/demo.sh $(abspath $(BIN))/reconciler

test: $(VENV)/.dev
	$(BIN)/pytest -n 2 tests

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

bench: $(VENV)/.dev
	$(BIN)/python -m benchmarks

cassettes: $(VENV)/.dev
	$(BIN)/python -m tests.salesforce.record

clean:
	rm -rf $(VENV) .reconciler build *.egg-info

$(VENV)/.installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -e .
	touch $@

$(VENV)/.dev: $(VENV)/.installed
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[dev]'
	touch $@
