PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SUDO := $(if $(filter 0,$(shell id -u)),,sudo)

.PHONY: demo test lint bench cassettes browser docs interop faults kills clean

demo: $(VENV)/.installed
	sh docs/demo.sh $(abspath $(BIN))/reconciler

test: $(VENV)/.dev
	$(BIN)/pytest -n 2 tests

# What opens the HTML report in a test; without it that test is skipped. Debian's packages, since they fit each other.
browser:
	command -v chromium chromedriver > /dev/null || { $(SUDO) apt-get update -qq && $(SUDO) apt-get install -y -qq \
	  --no-install-recommends chromium chromium-driver; }

# The pages that are made from the code.
docs: $(VENV)/.dev
	REWRITE_DOCS=1 $(BIN)/pytest tests/rules/test_docs.py tests/mock/test_faults_page.py tests/faults/test_page.py

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

bench: $(VENV)/.dev
	$(BIN)/python -m benchmarks

cassettes: $(VENV)/.dev
	$(BIN)/python -m tests.salesforce.record

# Drives clients that others wrote against `mock serve`. CLIENTS=python leaves out those that npm installs.
# REWRITE_DOCS=1 makes docs/interop.md of the results.
CLIENTS := all
CCI := .venv-cci
NPM := tests/interop/node_modules

interop: $(VENV)/.dev $(CCI)/.installed $(if $(filter all,$(CLIENTS)),$(NPM)/.installed)
	RECONCILER_INTEROP=$(CLIENTS) $(BIN)/pytest -n 2 --dist worksteal tests/interop

# Kills applies at random moments, so many times.
KILLS := 200

kills: $(VENV)/.dev
	RECONCILER_KILLS=$(KILLS) $(BIN)/pytest -n 2 -s tests/kills

# Every failure at every call of plan, drift and apply; FAULTS=share takes each failure and each call once.
FAULTS := all

faults: $(VENV)/.dev
	RECONCILER_FAULTS=$(FAULTS) $(BIN)/pytest -n 2 tests/faults

clean:
	rm -rf $(VENV) $(CCI) $(NPM) .reconciler build *.egg-info

$(VENV)/.installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -e .
	touch $@

$(VENV)/.dev: $(VENV)/.installed
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[dev]'
	touch $@

$(CCI)/.installed: tests/interop/cci.txt
	$(PYTHON) -m venv $(CCI)
	$(CCI)/bin/pip install --quiet --disable-pip-version-check -r $<
	touch $@

$(NPM)/.installed: tests/interop/package.json tests/interop/package-lock.json
	cd tests/interop && npm ci --silent
	touch $@
