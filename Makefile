# make demo   seed data to JSONL through real Delta tables, then the admin at 127.0.0.1:8000 (SERVE=0: without the admin)
# make serve  the admin and the worker of its jobs, until Ctrl-C
# make warehouse   a SQL warehouse on this machine, to point WORKBENCH_LAKEHOUSE_URL at
# make test   the gate: format, lint, imports, types, Django's checks, tests

PYTHON ?= python3
SERVE ?= 1
## Each of the many processes that tests start would compile the project anew.
unexport PYTHONDONTWRITEBYTECODE
VENV := .venv
BIN := $(VENV)/bin
MANAGE := $(BIN)/python manage.py

.DEFAULT_GOAL := help
.PHONY: help install migrate demo serve test test-databricks test-spark test-formats test-presidio warehouse lint unit conformance bench lock

help:
	@sed -n 's/^# //p' Makefile

$(VENV)/installed: requirements.lock
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements.lock
	touch $@

install: $(VENV)/installed

migrate: install
	@$(MANAGE) migrate --verbosity 0
	@$(MANAGE) migrate --database lakehouse --verbosity 0

demo: migrate
	@$(MANAGE) demo
ifneq ($(SERVE),0)
	@$(MAKE) --no-print-directory serve
endif

serve: migrate
	$(MANAGE) serve

warehouse: install
	@$(BIN)/python -m tests.databricks

lint: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/mypy
	WORKBENCH_PUBLIC_URL=https://workbench.example WORKBENCH_SECRET_KEY=$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(64))') \
		$(MANAGE) check --deploy --fail-level WARNING
	$(MANAGE) makemigrations --check --dry-run

unit: install
	.ci/browser
	.ci/postgres
	@# Three on two cores: a third of the time they wait for servers and processes that they started.
	@# In the order of their names, or the longest tests, which are few in a file, would all come last, on one core.
	@# What fails beside another process on a busy machine is asked once more alone; what is broken fails again.
	$(BIN)/pytest -n 3 --dist loadfile --no-loadscope-reorder || $(BIN)/pytest --last-failed --last-failed-no-failures none

test: lint unit

test-databricks: install
	WORKBENCH_TEST_ENGINE=databricks $(BIN)/python -m pytest -p tests.spark.recording -n 2 --dist loadfile tests/databricks \
		tests/lakehouse tests/training tests/labels tests/templates_app tests/sheets tests/governance tests/admin tests/api

## What other people's tools need, each in an environment of its own
.venv-%/installed: tests/%/requirements.txt
	test -x .venv-$*/bin/python || $(PYTHON) -m venv .venv-$*
	.venv-$*/bin/python -m pip install --quiet --disable-pip-version-check --requirement $<
	touch $@

test-spark: test-databricks .venv-spark/installed
	$(BIN)/pytest tests/spark

test-formats: install .venv-formats/installed
	$(BIN)/pytest tests/formats

test-presidio: install .venv-presidio/installed
	$(BIN)/pytest tests/presidio

conformance: install
	$(BIN)/python -m tests.conformance.run

bench: install
	$(BIN)/python -m benchmarks
	$(BIN)/python -m benchmarks.reviewing
	$(BIN)/python -m benchmarks.drafting

lock:
	$(BIN)/python -m pip install --quiet --disable-pip-version-check pip-tools
	$(BIN)/pip-compile --quiet --allow-unsafe --strip-extras --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-header \
		--extra dev --extra postgres --output-file requirements.lock pyproject.toml
