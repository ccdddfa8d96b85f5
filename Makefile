# Every task of this repository. Needs python3 (3.11 or newer), make and the package registries; nothing else has to be installed.
SHELL := /bin/bash
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV_VERSION := 0.13.9
# pip trusts the authorities of the machine, uv by itself only those inside it: a company whose proxy signs anew would stop half-way.
export UV_SYSTEM_CERTS ?= true
PYTEST_ARGS ?=

.PHONY: help demo demo-identity test check static system bench bench-matching chaos fuzzer lock clean

help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.ok ## a real Kafka, real touchpoints, and a moment that is taken back before your eyes
	@$(BIN)/touchstone demo

demo-identity: $(VENV)/.ok ## the same for who is who: 750 people, a likeness with its reasons, a pair in doubt, a steward's split
	@$(BIN)/touchstone demo --identity

test: static system ## everything: static checks, all laws with the models' numbers, and the tests on a real broker
	TOUCHSTONE_EXAMPLES=full $(BIN)/python -m pytest $(PYTEST_ARGS)

check: static ## before every commit, under three minutes: format, lint, types, imports, tests without a broker
	TOUCHSTONE_EXAMPLES=check $(BIN)/python -m pytest -m "not kafka and not slow" $(PYTEST_ARGS)

# What the tests need beside Python. Where it may not be installed, the tests that need it say so and do not run; in CI they fail.
SYSTEM := prometheus
system:
	@for program in $(SYSTEM); do \
		command -v $$program >/dev/null && continue; \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
			echo "installing $$program"; \
			(apt-get install -y -qq --no-install-recommends $$program || (apt-get update -qq && \
				apt-get install -y -qq --no-install-recommends $$program)) >/dev/null 2>&1 && continue; \
		fi; \
		echo "$$program is missing: the tests of alerts and dashboard need it (on Debian, apt-get install $$program)" >&2; \
	done

static: $(VENV)/.ok
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.ok ## throughput, latency, restore and memory on a real broker; costs beside a peer's
	@$(BIN)/python -m bench

bench-matching: $(VENV)/.ok ## who is who: precision, recall and cost on published and invented records, beside Splink and dedupe
	@$(BIN)/python -m bench.matching

chaos: fuzzer ## faults at random upon a live system, every promise checked: make chaos SEED=7 MINUTES=60 BROKERS=3 (a fresh seed, 60, 1; needs root for a small tmpfs)
	@$(BIN)/python -m tests.fault $(if $(SEED),--seed $(SEED)) --minutes $(or $(MINUTES),60) --brokers $(or $(BROKERS),1)

# Coverage guides the fuzzer where there is a wheel for this machine; where not, bytes are changed blindly. Never part of `make test`.
fuzzer: $(VENV)/.ok
	@$(BIN)/python -c 'import atheris' 2>/dev/null || \
		$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes --only-binary :all: -r tests/fuzz/requirements.lock || \
		echo "no atheris for this machine: the decoders are fuzzed without guidance" >&2

lock: $(VENV)/.ok ## resolve the dependencies anew into requirements.lock
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links \
		--upgrade -p 3.11 pyproject.toml --group dev --output-file requirements.lock
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links \
		-p 3.11 pyproject.toml --group image --constraints requirements.lock --output-file deploy/docker/requirements.lock
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links \
		--upgrade -p 3.11 --group fuzz --output-file tests/fuzz/requirements.lock

clean: ## remove the environment and everything that can be made again (not the cached Kafka jars)
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis agents/*.egg-info
	find agents tests -name __pycache__ -type d -prune -exec rm -rf {} +

# The environment: python's own venv, uv from the package registry, exactly the locked files, then the project itself, editable.
# Linted and built inside the same environment: nothing we lint with asks for a click that faust cannot live with.
$(VENV)/.ok: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "touchstone needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V 2>&1). Say 'make PYTHON=/path/to/python3.11 ...'." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV) || { echo "python's venv module is missing: on Debian, apt-get install python3-venv." >&2; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "uv==$(UV_VERSION)"
	$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@
