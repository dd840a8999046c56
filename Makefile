# `make` lists the targets. PYTHON is used to make .venv; everything else runs in it.
PYTHON ?= python3
VENV := .venv-dev
BIN := $(VENV)/bin

.PHONY: help test lint format rehearse soak fuzz single-file bench clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 20

$(BIN)/.made: requirements.txt requirements-dev.txt requirements-scale.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=...")'
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@

# Most of a test is waiting for a child: half as many more processes as there are cores.
PROCESSES ?= $(shell echo $$(( $$(getconf _NPROCESSORS_ONLN) * 3 / 2 )))

test: $(BIN)/.made ## run the tests (nothing goes online; under 5 minutes)
	$(BIN)/python -m compileall -q avclips
	$(BIN)/python -m pytest --numprocesses $(PROCESSES) --dist loadfile --no-loadscope-reorder

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

soak: $(BIN)/.made ## a run with every fault at random, under 10 minutes [SEED=n]
	$(BIN)/python tests/soak.py $(if $(SEED),--seed $(SEED))

fuzz: $(BIN)/.made ## strangers' bytes against everything that reads them [SECONDS=600] [SEED=n]
	PYTHONPATH=. $(BIN)/python tests/fuzz.py --seconds $(or $(SECONDS),600) $(if $(SEED),--seed $(SEED))

bench: $(BIN)/.made ## what a clip costs, ours and the usual ways side by side, about 10 minutes [QUICK=1]
	PYTHONPATH=. $(BIN)/python -m benchmarks $(if $(QUICK),--quick)

single-file: ## dist/*.pyz: each script and the package in the one file to copy to a node
	rm -rf build dist && mkdir -p dist
	for script in download_*.py; do \
		rm -rf build && mkdir build && cp -R avclips requirements.txt build/ && cp $$script build/__main__.py && \
		find build -name __pycache__ -prune -exec rm -rf {} + && \
		$(PYTHON) -m zipapp build --compress --python '/usr/bin/env python3' --output dist/$${script%.py}.pyz || exit 1; \
	done
	rm -rf build

clean: ## remove environments and caches
	rm -rf .venv $(VENV) build dist .cache .pytest_cache .mypy_cache .ruff_cache .hypothesis
