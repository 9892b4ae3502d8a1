PYTHON ?= python3
BIN := .venv/bin
SHELL := /bin/bash
.DEFAULT_GOAL := help
# two test processes, each with servers of its own; files are dealt whole, in their order: the longest come first
TWICE := -n 2 --dist loadfile --no-loadscope-reorder
MAKEFLAGS += --no-print-directory

# client/ is a folder, so it must be phony too
.PHONY: client help demo test test-long up down clean status lint bench venv prepared

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## Show the whole flow on real servers: start them, run the acceptance graphs, draw every run, stop
	@$(PYTHON) -m stack.prepare stack
	@exec $(BIN)/python -m stack.demo

up: ## Start PostgreSQL, Kafka and the bridge; addresses go to .run/env (WITH="airflow nifi" adds those)
	@$(PYTHON) -m stack.prepare stack
	@exec $(BIN)/python -m stack up

down: ## Stop everything `make up` started; the data stay
	@$(PYTHON) -m stack.venv stack
	@exec $(BIN)/python -m stack down

status: ## What runs, and where
	@$(PYTHON) -m stack.venv stack
	@$(BIN)/python -m stack status || true

clean: ## Stop everything and drop its data
	@$(PYTHON) -m stack.venv stack
	@exec $(BIN)/python -m stack clean

test: prepared lint ## Lint, then every test on real servers (ALLOW_FALLBACK=1 permits the fallback broker)
	@exec $(BIN)/pytest $(TWICE) -m 'not long' $(ARGS)

test-long: prepared lint ## As test, with the long campaigns
	@exec $(BIN)/pytest $(TWICE) $(ARGS)

client: venv ## Write the client's methods anew from the API's OpenAPI document
	@$(BIN)/python -m stack.client_code

lint: venv ## ruff, mypy --strict, pgspot, shellcheck
	@$(BIN)/python -m stack.lint

bench: prepared ## Measure, against yardsticks measured in the same run (about 15 minutes; docs/benchmarks.md)
	@exec $(BIN)/python -m bench

prepared:
	@$(PYTHON) -m stack.prepare dev

venv: ## The virtual environment .venv, for development
	@$(PYTHON) -m stack.venv dev
