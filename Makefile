# Everything here needs Python 3.11 or newer and make; the rest is fetched into .venv.
# Further arguments go through ARGS:  make test ARGS="-k guard"   make demo ARGS="--help"

SHELL := /bin/sh
.SHELLFLAGS := -eu -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

PYTHON ?=
ARGS ?=
VENV := .venv
BIN := $(VENV)/bin
PLUGINS := $(sort $(patsubst %/pyproject.toml,%,$(wildcard plugins/*/pyproject.toml)))
PROJECTS := pyproject.toml $(addsuffix /pyproject.toml,$(PLUGINS))
# Twice quiet: errors are shown, the notes of a machine's own pip settings are not.
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq

.PHONY: help demo test fuzz lint format bench coverage clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.installed ## a simulated shop, its customers, their journeys and messages, live in this terminal
	@exec $(BIN)/segue demo $(ARGS) # exec: no shell is left that Ctrl-C would kill, and make complain of

test: $(VENV)/.installed-dev ## every test
	@$(BIN)/python -m pytest $(ARGS)

fuzz: $(VENV)/.installed-dev ## a minute of rule texts made wrong; SEGUE_FUZZ says for how many seconds
	@SEGUE_FUZZ=$${SEGUE_FUZZ:-60} $(BIN)/python -m pytest tests/fuzz -q -s $(ARGS)

lint: $(VENV)/.installed-dev ## style, types, import directions
	@echo "Style"
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@echo "Import directions"
	@$(BIN)/lint-imports --no-cache
	@echo "Types"
	@$(BIN)/mypy src tests $(addsuffix /src,$(PLUGINS))
	@for plugin in $(PLUGINS); do \
	    [ ! -d $$plugin/tests ] || { echo "Types of $$plugin/tests"; $(BIN)/mypy $$plugin/tests; }; \
	done

format: $(VENV)/.installed-dev ## rewrite the Python files in the one style
	@$(BIN)/ruff check --fix --exit-zero --quiet .
	@$(BIN)/ruff format .

bench: $(VENV)/.installed-dev ## what this machine reaches, beside a bare loop and one job per wait
	@$(BIN)/segue bench $(ARGS)

coverage: $(VENV)/.installed-dev ## every test, and which branches none of them took
	@$(BIN)/python -m pytest --cov --cov-report=term $(ARGS)

clean: ## remove the environment and everything built
	rm -rf $(VENV) build dist htmlcov .coverage .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find src tests plugins -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamps are renewed when a pyproject.toml changes; the code itself is installed in place and needs no stamp.

$(VENV)/.installed: $(PROJECTS) | $(BIN)/python
	@echo "Installing Segue and its plugins (once; a minute or so)"
	@$(PIP) install 'hatchling>=1.27' editables # once here, and not once more for each of the plugins
	@$(PIP) install --no-build-isolation -e '.[measure]' $(addprefix -e ./,$(PLUGINS)) # the demo ends with what its experiments show
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	@echo "Installing what the tests need"
	@$(PIP) install --no-build-isolation -e '.[dev]'
	@touch $@

$(BIN)/python:
	@python=; \
	for candidate in $(PYTHON) python3.14 python3.13 python3.12 python3.11 python3 python; do \
	    if $$candidate -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then python=$$candidate; break; fi; \
	done; \
	if [ -z "$$python" ]; then \
	    echo "Segue needs Python 3.11 or newer, and none was found. Install one (Debian: apt-get install python3 python3-venv)," >&2; \
	    echo "or say where it is: make PYTHON=/path/to/python3.11 demo" >&2; \
	    exit 1; \
	fi; \
	echo "Making $(VENV) with $$($$python --version)"; \
	if ! $$python -m venv $(VENV); then \
	    rm -rf $(VENV); \
	    echo "This Python cannot make environments. On Debian: apt-get install python3-venv" >&2; \
	    exit 1; \
	fi
