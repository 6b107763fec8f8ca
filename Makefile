# `make help` lists what there is. `run` and `test` need nothing done before them but Python >= 3.11, git and make.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LOCKS := scripts/requirements
CODE := scripts tests
WORKERS ?= auto

# What pip prints about newer versions of itself and what uv prints about its cache is not news here.
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

.PHONY: help
help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "%-20s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: install
install: $(VENV)/runtime ## .venv with the command mlops-ci in it

.PHONY: run
run: install ## The whole pipeline on the sample service, on this machine
	$(BIN)/mlops-ci run --client sample_service

.PHONY: load
load: install ## The load stage alone, on the sample service
	$(BIN)/mlops-ci load --client sample_service

.PHONY: test
test: $(VENV)/dev ## Every test of the pipeline; unit and integration tests by the pipeline itself
	$(BIN)/mlops-ci run --client . --stages tests,coverage
	$(BIN)/python -m pytest tests/workflows tests/e2e --numprocesses=$(WORKERS) --dist=worksteal

.PHONY: lint
lint: $(VENV)/dev ## Formatting, imports, style, types, workflows; writes nothing
	$(BIN)/black --check --quiet $(CODE) || { echo "run: make fix"; exit 1; }
	$(BIN)/isort --check-only --quiet $(CODE) || { echo "run: make fix"; exit 1; }
	$(BIN)/flake8 $(CODE)
	$(BIN)/mypy
	$(BIN)/zizmor --offline --quiet --persona pedantic .github actions
	$(BIN)/python scripts/docs.py --check

.PHONY: fix
fix: $(VENV)/dev ## Apply isort and black
	$(BIN)/isort --quiet $(CODE)
	$(BIN)/black --quiet $(CODE)

.PHONY: self
self: $(VENV)/dev ## Our own pipeline on our own code: lint, types, tests, coverage; no end-to-end tests
	$(BIN)/mlops-ci run --client .

.PHONY: bench
bench: $(VENV)/dev ## Speed, as ratios measured side by side
	$(BIN)/python scripts/bench.py
	$(BIN)/python scripts/bench_load.py
	$(BIN)/python scripts/bench_tests.py
	$(BIN)/python scripts/bench_reports.py

.PHONY: validate-statistics
validate-statistics: $(VENV)/dev ## What the paired load test's intervals cover and its verdicts say, on simulated data
	$(BIN)/python scripts/validate_statistics.py

.PHONY: validate-duet
validate-duet: $(VENV)/dev ## The paired load test on pairs of known difference; hours, or minutes with ARGS=--short
	$(BIN)/python scripts/validate_duet.py $(ARGS)

.PHONY: docs
docs: $(VENV)/dev ## Renew what is generated in README.md and docs/
	$(BIN)/python scripts/docs.py

COMPILE := $(BIN)/uv pip compile --quiet --upgrade --universal --generate-hashes --no-annotate \
	--no-emit-index-url --custom-compile-command "make lock"

.PHONY: lock
lock: $(VENV)/uv ## Renew the locked requirements from the *.in files
	$(COMPILE) --python-version 3.11 $(LOCKS)/uv.in --output-file $(LOCKS)/uv.txt
	$(COMPILE) --python-version 3.11 $(LOCKS)/runtime.in --output-file $(LOCKS)/runtime.txt
	$(COMPILE) --python-version 3.11 $(LOCKS)/dev.in --output-file $(LOCKS)/dev.txt
	$(COMPILE) --python-version 3.9 $(LOCKS)/tools.in --output-file $(LOCKS)/tools.txt
	$(COMPILE) --python-version 3.10 $(LOCKS)/load.in --output-file $(LOCKS)/load.txt
	$(COMPILE) --python-version 3.11 $(LOCKS)/openapi.in --output-file $(LOCKS)/openapi.txt
	$(COMPILE) --python-version 3.11 $(LOCKS)/comment.in --output-file $(LOCKS)/comment.txt

.PHONY: clean
clean: ## Remove what the other targets made
	rm -rf $(VENV) .mypy_cache .pytest_cache .hypothesis .coverage* mlops-report sample_service/mlops-report
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/uv: $(LOCKS)/uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "$(PYTHON) is older than 3.11. Name a newer one: make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes --requirement $(LOCKS)/uv.txt
	@touch $@

$(VENV)/runtime: $(VENV)/uv $(LOCKS)/runtime.txt pyproject.toml
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes --requirement $(LOCKS)/runtime.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	@touch $@

$(VENV)/dev: $(VENV)/runtime $(LOCKS)/dev.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes --requirement $(LOCKS)/dev.txt
	@touch $@
