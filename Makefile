PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SUDO := $(if $(filter 0,$(shell id -u)),,sudo)
# Everything that is installed is locked in requirements/, with its hashes, so nothing is left to resolve. pip compiles with one
# core, so it is not left to pip.
FLAGS := --quiet --disable-pip-version-check --no-deps --no-compile
LOCKED := install $(FLAGS) --require-hashes
COMPILE := -m compileall -q -j 0 -x '/(pip|setuptools|lib2to3)/'
# A virtual environment with the pip that is locked, made by the pip that Python came with, or else by its `ensurepip`.
venv = if $(PYTHON) -m pip --version > /dev/null 2>&1; \
  then $(PYTHON) -m venv --without-pip $(1) && $(PYTHON) -m pip --python $(1)/bin/python $(LOCKED) -r requirements/install.txt; \
  else $(PYTHON) -m venv $(1) && $(1)/bin/python -m pip $(LOCKED) -r requirements/install.txt; fi

.PHONY: demo test lint bench corpus cassettes browser docs interop faults kills properties versions lock wheel clean documents

demo: $(VENV)/.installed
	@sh docs/demo.sh $(abspath $(BIN))/reconciler

test: $(VENV)/.dev
	$(BIN)/pytest -n 2 tests

# What opens the HTML report in a test; without it that test is skipped. Debian's packages, since they fit each other.
browser:
	command -v chromium chromedriver > /dev/null || { $(SUDO) apt-get update -qq && $(SUDO) apt-get install -y -qq \
	  --no-install-recommends chromium chromium-driver; }

# The pages that are made from the code.
docs: $(VENV)/.dev
	REWRITE_DOCS=1 $(BIN)/pytest tests/docs/test_commands_page.py tests/rules/test_docs.py tests/mock/faults/test_page.py tests/faults/test_page.py

# Runs every block of the documents that can be run, whole pipelines too; `make test` parses those.
documents: $(VENV)/.dev
	RECONCILER_DOCUMENTS=1 $(BIN)/pytest -n 2 --dist worksteal tests/docs

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

# Every real file of the folder RECONCILER_CORPUS, pulled from a mock org and put into another one; `make test` takes some.
corpus: $(VENV)/.dev
	RECONCILER_WHOLE_CORPUS=1 $(BIN)/pytest -n 2 tests/e2e/test_pull_corpus.py tests/e2e/test_pull_metadata.py

# The property tests with so many examples each where a test names no number; `make test` takes 50.
EXAMPLES := 300

properties: $(VENV)/.dev
	RECONCILER_EXAMPLES=$(EXAMPLES) $(BIN)/pytest -n 2 --dist worksteal -m hypothesis tests

# Every failure at every call of plan, drift and apply; FAULTS=share takes each failure and each call once.
FAULTS := all

faults: $(VENV)/.dev
	RECONCILER_FAULTS=$(FAULTS) $(BIN)/pytest -n 2 tests/faults

# Locks anew what `make demo`, `make test` and CI install: the newest that pyproject.toml allows, for Python 3.11 and later.
# UPGRADE= keeps what is locked wherever pyproject.toml still allows it.
RESOLVER := .venv-uv
UV := $(RESOLVER)/bin/uv
UPGRADE := --upgrade
LOCK := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
  --custom-compile-command "make lock" $(UPGRADE)

lock: $(UV)
	$(LOCK) --group install -o requirements/install.txt
	$(LOCK) pyproject.toml -o requirements/run.txt
	$(LOCK) pyproject.toml --extra dev -c requirements/install.txt -c requirements/run.txt -o requirements/dev.txt
	$(LOCK) --group uv -o requirements/uv.txt
	$(LOCK) tests/interop/cci.in -o tests/interop/cci.txt

# A wheel in dist/, to install elsewhere: `pipx install dist/sf_reconciler-*.whl`.
wheel: $(VENV)/.installed
	rm -rf build
	$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation -w dist .

# The core of the suite with the oldest and with the newest versions that pyproject.toml allows, and the wheel without a clone.
VERSIONS := oldest newest

versions: $(VENV)/.dev $(UV)
	set -e; for which in $(VERSIONS); do $(BIN)/python -m tests.packaging.other_versions $(UV) $$which; done

clean:
	rm -rf $(VENV) $(CCI) $(RESOLVER) $(NPM) .reconciler build dist *.egg-info

# Every phase says what it does: a first run on a slow line takes minutes.
$(VENV)/.installed: requirements/install.txt requirements/run.txt pyproject.toml
	@echo "Making a virtual environment in $(VENV) ..."
	@$(call venv,$(VENV))
	@echo "Installing what reconciler needs, as requirements/run.txt locks it ..."
	@$(BIN)/python -m pip $(LOCKED) -r requirements/run.txt
	@echo "Installing reconciler itself ..."
	@$(BIN)/python $(COMPILE) $(VENV)/lib & PYTHONWARNINGS=ignore $(BIN)/python -m pip install $(FLAGS) --no-build-isolation -e . && wait
	@touch $@

$(VENV)/.dev: $(VENV)/.installed requirements/dev.txt
	@echo "Installing what the tests need, as requirements/dev.txt locks it ..."
	@$(BIN)/python -m pip $(LOCKED) -r requirements/dev.txt
	@$(BIN)/python $(COMPILE) $(VENV)/lib
	@touch $@

$(UV): requirements/install.txt requirements/uv.txt
	@echo "Installing uv, which finds out what fits together, into $(RESOLVER) ..."
	@$(call venv,$(RESOLVER))
	@$(RESOLVER)/bin/python -m pip $(LOCKED) -r requirements/uv.txt
	@touch $@

$(CCI)/.installed: requirements/install.txt tests/interop/cci.txt
	@echo "Installing CumulusCI into $(CCI) ..."
	@$(call venv,$(CCI))
	@$(CCI)/bin/python -m pip $(LOCKED) -r tests/interop/cci.txt
	@touch $@

$(NPM)/.installed: tests/interop/package.json tests/interop/package-lock.json
	cd tests/interop && npm ci --silent
	touch $@
