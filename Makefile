# make help lists what there is. Everything sets itself up first; see tools/setup.sh.
MONTH ?= 2018-09
BIN := .venv/bin
# both cores; the tests of one file stay together, for they share what they set up
PYTEST ?= $(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help setup setup-tests report test test-postgres check lint docs serve bench clean distclean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 20

setup: ## install what is missing: system packages, .venv, fonts
	@tools/setup.sh

setup-tests:
	@tools/setup.sh tests

report: setup ## the sample programme's month as a PDF (MONTH=2018-09)
	@$(BIN)/ledger run $(MONTH) || [ $$? -eq 1 ]
	@ls -1 reports/$(MONTH)/*.pdf

test: setup-tests ## all tests
	@$(PYTEST)

test-postgres: setup-tests ## all tests, every home's ledger on a PostgreSQL that they start
	@$(PYTEST) --database postgres

lint: setup-tests
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

docs: setup-tests ## write the generated documents anew
	@$(BIN)/python -m schemas.dictionary

check: lint ## style, types, layers, generated documents, tests
	@$(BIN)/python -c 'import sys; from schemas.dictionary import PATH, dictionary; sys.exit(PATH.read_text(encoding="utf-8") != dictionary() and "docs/dictionary.md is stale: make docs")'
	@$(PYTEST)

serve: setup ## schedule the flows (Prefect), Asia/Shanghai
	@$(BIN)/ledger serve

bench: setup-tests ## measure: one line a benchmark
	@for script in benchmarks/*/run.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

clean: ## remove what can be computed again: data/processed, reports, caches
	@find data/processed reports -mindepth 1 ! -name .gitkeep -delete
	@rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

distclean: clean ## and the environment and the fonts
	@rm -rf .venv .setup *.egg-info
