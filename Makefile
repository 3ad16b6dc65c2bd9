# FEEM. `make help` lists what there is.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PYTEST := $(BIN)/python -m pytest
CLUSTER := $(BIN)/python -m e2e.cluster
DEMO_CLUSTER ?= feem-demo

.PHONY: help
help: ## Show this help
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F':.*## ' '{printf "  \033[1m%-14s\033[0m %s\n", $$1, $$2}'

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "FEEM needs Python 3.11 or newer; $(PYTHON) is older. Set PYTHON=python3.12, say."; exit 1; }
	@echo "installing Python packages into $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

.PHONY: setup
setup: $(STAMP) ## Install the Python packages into .venv (every other target does it when needed)

.PHONY: demo
demo: $(STAMP) ## The main job on a cluster it makes itself: a good release is approved and promoted, two bad ones go back
	@$(BIN)/python -m e2e.demo --cluster $(DEMO_CLUSTER)

.PHONY: demo-clean
demo-clean: $(STAMP) ## Remove the demo's cluster
	@$(CLUSTER) down --name $(DEMO_CLUSTER)

.PHONY: test
test: lint types imports drift unit integration ## Lint, types, import rules, drift, unit and integration tests

.PHONY: lint
lint: $(STAMP) ## ruff: style and format
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

.PHONY: types
types: $(STAMP) ## mypy --strict
	@$(BIN)/mypy

.PHONY: imports
imports: $(STAMP) ## import-linter: who may import whom
	@$(BIN)/lint-imports

.PHONY: drift
drift: $(STAMP) ## The committed CRDs are what the models say
	@$(BIN)/python -m feem.api.crd --check crds

.PHONY: generate
generate: $(STAMP) ## Write the CRDs anew
	@$(BIN)/python -m feem.api.crd crds

.PHONY: unit
unit: $(STAMP) ## Unit and property tests (no cluster)
	@$(PYTEST) tests -m "not integration and not e2e" -q

# within_five_seconds: alone on the machine, for what it asserts is a time
CHAOS_RUNS = tests/integration/test_chaos_runs.py tests/integration/test_chaos_kills.py

.PHONY: integration
integration: $(STAMP) ## Tests against a real API server (makes cluster `feem-test`, profile api, and leaves it up; two more for the time of the tests)
	@if [ -n "$$KUBECONFIG$$FEEM_TEST_CLUSTER" ]; then exec $(PYTEST) tests -m integration -q; fi; \
	$(CLUSTER) up --profile api --name feem-test || exit; \
	$(PYTEST) $(CHAOS_RUNS) -k within_five_seconds -q || exit; \
	echo "at the same time, the tests of faults and of runs have a cluster each; what they print is shown at the end"; \
	shown=$$(mktemp -d); code=0; \
	FEEM_TEST_CLUSTER=feem-faults $(PYTEST) tests/integration/chaos -q >"$$shown/faults" 2>&1 & faults=$$!; \
	FEEM_TEST_CLUSTER=feem-runs $(PYTEST) $(CHAOS_RUNS) -k "not within_five_seconds" -q >"$$shown/runs" 2>&1 & runs=$$!; \
	trap 'kill $$faults $$runs; exit 130' INT TERM; \
	$(PYTEST) tests -m integration -q --ignore=tests/integration/chaos $(CHAOS_RUNS:%=--ignore=%) || code=$$?; \
	for lane in $$faults $$runs; do wait $$lane || code=$$?; done; \
	for name in faults runs; do cat "$$shown/$$name"; $(CLUSTER) down --name "feem-$$name"; done; rm -rf "$$shown"; exit $$code

.PHONY: e2e
e2e: $(STAMP) ## Tests with real pods, gateway, Prometheus and traffic (makes cluster `feem-e2e`, profile full)
	@$(PYTEST) e2e tests -m e2e -q

.PHONY: bench-evidence
bench-evidence: $(STAMP) ## How soon and surely a worse canary is known, beside other rules (FULL=1: more runs); writes bench/results
	@PYTHONPATH=. $(BIN)/python -m bench.evidence --out bench/results/evidence.json

.PHONY: bench-admission
bench-admission: $(STAMP) ## What the policies add to requests, on a cluster `feem-bench` of its own; writes bench/results
	@PYTHONPATH=. $(BIN)/python -m bench.admission --out bench/results/admission.json

.PHONY: bench-audit
bench-audit: $(STAMP) ## How fast the audit log is written, published and verified, and in how much memory; writes bench/results
	@PYTHONPATH=. $(BIN)/python -m bench.audit --out bench/results/audit.json

.PHONY: bench-chaos
bench-chaos: $(STAMP) ## What 500 scheduled experiments cost in requests, CPU and memory, on a cluster of its own; writes bench/results
	@PYTHONPATH=. $(BIN)/python -m bench.chaos --out bench/results/chaos.json

.PHONY: format
format: $(STAMP) ## Format the code
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

.PHONY: clusters
clusters: $(STAMP) ## List the clusters made here
	@$(CLUSTER) status

.PHONY: clean
clean: $(STAMP) ## Remove every cluster made here, and build output (not the build cache)
	@$(CLUSTER) down --all
	@rm -rf build dist
