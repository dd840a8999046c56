# `make` lists the targets. PYTHON is used to make .venv; everything else runs in it.
PYTHON ?= python3
VENV := .venv-dev
BIN := $(VENV)/bin
FOUR := .venv-spark4
TORCH_VENV := .venv-torch

.PHONY: help test test-slow test-torch test-browser test-oldest test-versions test-spark4 canary canary-record constraints \
	lint format rehearse demo docs soak fuzz matrix readers interop api-docs single-file bench bench-long clean

help: ## list the targets
	@grep -E '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## /  make \1\t/' | expand -t 22

REQUIREMENTS := $(wildcard requirements*.txt)
NEW_ENOUGH := $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=...")'
INSTALL := -m pip install --quiet --disable-pip-version-check

# The newest of everything that the requirements allow, and the oldest.
$(BIN)/.made: $(REQUIREMENTS)
	$(NEW_ENOUGH)
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python $(INSTALL) -r requirements-dev.txt
	touch $@

OLDEST := .venv-oldest
$(OLDEST)/.made: $(REQUIREMENTS) constraints-oldest.txt
	$(NEW_ENOUGH)
	$(PYTHON) -m venv --clear $(OLDEST)
	$(OLDEST)/bin/python $(INSTALL) -c constraints-oldest.txt -r requirements-dev.txt
	touch $@

$(FOUR)/.made: requirements.txt requirements-dev.txt requirements-scale.txt
	$(PYTHON) -m venv --clear $(FOUR)
	$(FOUR)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	$(FOUR)/bin/python -m pip install --quiet --disable-pip-version-check --upgrade 'pyspark>=4'
	touch $@

# TORCH: what pip is told. On Linux, plain `torch` is a build for CUDA, of several GB; one of a version, or of
# another index, may be for the CPU: make test-torch TORCH='torch==2.13.0'.
TORCH ?= torch
$(TORCH_VENV)/.made: requirements.txt requirements-torch.txt requirements-torch-dev.txt requirements-curate.txt
	$(NEW_ENOUGH)
	$(PYTHON) -m venv --clear $(TORCH_VENV)
	$(TORCH_VENV)/bin/python $(INSTALL) $(TORCH)
	$(TORCH_VENV)/bin/python $(INSTALL) -r requirements-torch-dev.txt
	touch $@

# Most of a test is waiting for a child: half as many more processes as there are cores.
PROCESSES ?= $(shell echo $$(( $$(getconf _NPROCESSORS_ONLN) * 3 / 2 )))

# With AVCLIPS_TEST_CLIENTS=next yt-dlp asks as clients of other names, and one more: see tests/standin/next_release.
test: $(BIN)/.made ## run the tests (nothing goes online; five minutes)
	$(BIN)/python -m compileall -q avclips
	$(BIN)/python -m pytest --numprocesses $(PROCESSES) --dist loadfile --no-loadscope-reorder \
		--ignore tests/torch --ignore tests/browser

test-slow: $(BIN)/.made ## what `make test` leaves out: Spark's cluster, pairs of the truth matrix, further cases of a kind
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder -m slow

# The tests' own environment, and playwright, which brings no browser. Nothing is installed where there is no Chromium.
AVCLIPS_CHROMIUM ?= $(shell command -v chromium || command -v google-chrome)
export AVCLIPS_CHROMIUM
$(BIN)/.browser: $(BIN)/.made requirements-browser-dev.txt
	$(BIN)/python $(INSTALL) -r requirements-browser-dev.txt
	touch $@

test-browser: $(if $(AVCLIPS_CHROMIUM),$(BIN)/.browser) ## the explorer in a real browser, the system's Chromium, in under a minute [AVCLIPS_SCREENSHOTS=docs/pictures]
	$(if $(AVCLIPS_CHROMIUM),$(BIN)/python -m pytest tests/browser,@echo 'test-browser is skipped, as there is no Chromium: apt install chromium, or AVCLIPS_CHROMIUM=/path/to/it')

test-torch: $(TORCH_VENV)/.made ## the tests of the PyTorch datasets, in an environment of its own [TORCH=torch==2.13.0]
	$(TORCH_VENV)/bin/python -m pytest --numprocesses 2 --dist loadfile tests/torch

test-spark4: $(BIN)/.made $(FOUR)/.made ## the tests of Spark with Spark 4, in an environment of its own; JAVA_HOME: a whole Java 17 or newer
	$(FOUR)/bin/python -m pytest -m 'slow or not slow' tests/end_to_end/test_spark.py
	AVCLIPS_SPARK4_PYTHON=$(CURDIR)/$(FOUR)/bin/python $(BIN)/python -m pytest tests/end_to_end/test_spark_four.py

# But for those that take long and that no version of a package changes, and for the truth matrix and the bytes of a
# clip, whose sources are as the newest ffmpeg's muxers make them.
SAME_ON_ALL := end_to_end/test_shell end_to_end/test_single_file end_to_end/test_signals end_to_end/test_bad_input \
	unit/test_benchmark_pairs unit/fetch/test_bytes_of_a_clip matrix/test_matrix
# What the newest numba compiled, an older one cannot read.
test-oldest: $(OLDEST)/.made ## the tests on the lowest versions that the requirements allow
	NUMBA_CACHE_DIR=$(CURDIR)/$(OLDEST)/numba $(OLDEST)/bin/python -m pytest --numprocesses $(PROCESSES) --dist loadfile --no-loadscope-reorder \
		$(SAME_ON_ALL:%=--ignore tests/%.py) --ignore tests/browser

test-versions: ## the seam tests on each tested yt-dlp and ffmpeg, as a table
	$(NEW_ENOUGH)
	$(PYTHON) -m tools.matrix --processes $(PROCESSES) $(MATRIX)

canary: ## what the newest releases of others change, against a record [PRE=1: yt-dlp's nightly]
	$(NEW_ENOUGH)
	$(PYTHON) -m tools.canary --processes $(PROCESSES) $(if $(PRE),--pre)

canary-record: ## make what the newest releases do the record
	$(NEW_ENOUGH)
	$(PYTHON) -m tools.canary --record

constraints: ## write constraints-oldest.txt anew, after a change of requirements*.txt
	$(PYTHON) -m tools.requirements

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

demo: $(BIN)/.made ## made-up videos through the whole program, and the explorer on what comes: a minute or two [PORT=n]
	$(BIN)/python -m tools.demo $(if $(PORT),--port $(PORT))

docs: $(BIN)/.made ## the documents as a website in build/site, links checked; docs/reference.md and docs/api.md anew
	$(BIN)/python -m tools.reference
	$(PYTHON) -m venv .venv-docs && .venv-docs/bin/python $(INSTALL) -r requirements-docs.txt
	.venv-docs/bin/mkdocs build --strict

soak: $(BIN)/.made ## a run with every fault at random, under 12 minutes [SEED=n]
	$(BIN)/python -m tests.soak $(if $(SEED),--seed $(SEED))

fuzz: $(BIN)/.made ## strangers' bytes against everything that reads them [SECONDS=600] [SEED=n]
	$(BIN)/python -m tests.fuzz --seconds $(or $(SECONDS),600) $(if $(SEED),--seed $(SEED))

matrix: $(BIN)/.made ## clips of media in every layout, at random, against PyAV's reading of the whole [SECONDS=600] [SEED=n]
	$(BIN)/python -m tests.matrix --seconds $(or $(SECONDS),600) $(if $(SEED),--seed $(SEED))

bench: $(BIN)/.made ## what a clip costs, ours and the usual ways side by side, about 10 minutes [QUICK=1] [AGAINST=COMMIT]
	$(BIN)/python -m benchmarks $(if $(QUICK),--quick) $(if $(AGAINST),--against $(AGAINST))

bench-long: $(BIN)/.made ## starts on a million clips, all of AVQA in fast time, ten million rows: half an hour [QUICK=1]
	$(BIN)/python -m benchmarks.long $(if $(QUICK),--quick)

bench-curate: $(BIN)/.made ## what the stages of curation cost and find, beside what they are compared with: an hour of two cores
	for each in benchmarks/curate*.py; do $(BIN)/python -m benchmarks.$$(basename $$each .py) || exit 1; done

readers: $(BIN)/.made ## docs/readers.md: what 18 readers make of our files, about 15 minutes and 3 GB; Chromium where it is
	$(BIN)/python -m tools.readers

api-docs: $(BIN)/.made ## docs/api.md out of the docstrings
	$(BIN)/python -m tools.api_docs

interop: $(BIN)/.made ## have datasets, lhotse, webdataset and energon read our exports and shards: an environment of 2 GB, a minute
	$(BIN)/python -m tools.interop

single-file: ## dist/*.pyz: each script and the package in the one file to copy to a node
	rm -rf build dist && mkdir -p dist
	for script in download_*.py; do \
		rm -rf build && mkdir build && cp -R avclips requirements.txt build/ && cp $$script build/__main__.py && \
		find build -name __pycache__ -prune -exec rm -rf {} + && \
		$(PYTHON) -m zipapp build --compress --python '/usr/bin/env python3' --output dist/$${script%.py}.pyz || exit 1; \
	done
	rm -rf build

clean: ## remove environments and caches
	rm -rf .venv .venv-* build dist .cache .pytest_cache .mypy_cache .ruff_cache .hypothesis
