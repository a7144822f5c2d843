# Two commands on a fresh machine: make demo, make test. Everything goes into .venv.
SHELL := /bin/bash
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready

.PHONY: help env demo test lint coverage lock audit clean

help: ## List the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort | expand -t 12

env: $(STAMP) ## Make the environment in .venv
	@:

$(STAMP): requirements/dev.txt requirements/uv.txt tools/make_env
	@PYTHON="$(PYTHON)" bash tools/make_env $(VENV)

demo: env ## Compare orm=naive with orm=prefetch and open with the verdict
	@$(BIN)/loadstone compare orm=naive orm=prefetch --budget 45s

test: env ## Run all tests against real embedded services
	@$(BIN)/python -m pytest -q

coverage: env ## Tell which lines of the reference app its tests run, and fail below 90%
	@$(BIN)/coverage erase && $(BIN)/coverage run -m pytest -q tests/target_app
	@$(BIN)/coverage combine --quiet && $(BIN)/coverage report

lint: env ## Ruff, strict types, import contracts
	@$(BIN)/ruff check --quiet . && $(BIN)/ruff format --check --quiet .
	@PYTHONPATH=target_app $(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports --no-logo >/tmp/loadstone-imports.$$$$ || { cat /tmp/loadstone-imports.$$$$; rm -f /tmp/loadstone-imports.$$$$; exit 1; }; rm -f /tmp/loadstone-imports.$$$$

lock: env ## Write the pinned, hashed requirements again
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	  --extra target-app --extra dev pyproject.toml requirements/tools.in -o requirements/dev.txt
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	  --extra target-app pyproject.toml requirements/image.in -o requirements/run.txt
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	  requirements/audit.in -o requirements/audit.txt
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	  requirements/mariadb.in -o requirements/mariadb.txt

audit: ## Ask for known vulnerabilities of everything that is pinned
	@tools/audit

clean: ## Remove the environment, templates and caches (runs in reports/ are kept)
	@if [ -x $(BIN)/loadstone ]; then $(BIN)/loadstone clean; fi
	@rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .benchmarks
