# `make` lists the targets. PYTHON is used to make .venv; everything else runs in it.
PYTHON ?= python3
VENV := .venv-dev
BIN := $(VENV)/bin

.PHONY: help test lint format rehearse clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 20

$(BIN)/.made: requirements.txt requirements-dev.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=...")'
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@

test: $(BIN)/.made ## run the tests (nothing goes online; under 5 minutes)
	$(BIN)/python -m pytest

lint: $(BIN)/.made ## ruff, mypy --strict and shellcheck
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/shellcheck run_avqa_download.sh .ci/run

format: $(BIN)/.made ## let ruff format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

rehearse: ## the real program on ten made-up clips, with a stand-in for YouTube
	PYTHON=$(PYTHON) ./run_avqa_download.sh rehearse

clean: ## remove environments and caches
	rm -rf .venv $(VENV) .cache .pytest_cache .mypy_cache .ruff_cache .hypothesis
