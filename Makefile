# Everything a newcomer and CI need; `make help` lists it.
PYTHON ?= python3
PORT ?= 8000
VENV := .venv
BIN := $(VENV)/bin
SECONDS := 120
REPLICAS := 5
TASKS := 30
LEASE := 10
DATABASES := postgres sqlite
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.DEFAULT_GOAL := help
.PHONY: help run demo test test-long chaos chaos-handoffs mutants lint format docs screenshots bench dist matrix constraints clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit("asyncsched needs Python 3.11 or newer, this is " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	@$(PYTHON) -m venv $(VENV)

$(VENV)/home.stamp: constraints/home.txt | $(BIN)/python
	@echo "Installing (once) ..."
	@$(PIP) install --require-hashes -r constraints/home.txt
	@touch $@

$(VENV)/demo.stamp: constraints/demo.txt | $(BIN)/python
	@echo "Installing (once) ..."
	@$(PIP) install --require-hashes -r constraints/demo.txt
	@touch $@ $(VENV)/home.stamp

$(VENV)/dev.stamp: constraints/dev.txt | $(BIN)/python
	@echo "Installing test and lint tools (once) ..."
	@$(PIP) install --require-hashes -r constraints/dev.txt
	@touch $@ $(VENV)/home.stamp $(VENV)/demo.stamp

$(VENV)/mutants.stamp: constraints/mutants.txt $(VENV)/dev.stamp
	@$(PIP) install --require-hashes -r constraints/mutants.txt
	@touch $@

run: $(VENV)/home.stamp ## install, migrate and serve on 127.0.0.1:$PORT
	@mkdir -p var
	@$(BIN)/python manage.py migrate --verbosity 0
	@$(BIN)/python manage.py ensure_admin
	@exec $(BIN)/daphne -b 127.0.0.1 -p $(PORT) asgi:application

demo: $(VENV)/demo.stamp ## the same beside a simulated home: no hardware, a database of its own
	@exec $(BIN)/python -m demo --port $(PORT)

$(VENV)-django-cron/stamp: constraints/django-cron.txt
	@$(PYTHON) -m venv $(VENV)-django-cron
	@$(VENV)-django-cron/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes -r constraints/django-cron.txt
	@touch $@

test: $(VENV)/dev.stamp $(VENV)-django-cron/stamp $(VENV)-bench-apscheduler4/stamp ## the whole test suite, on all cores (PYTEST_ARGS= for a part, one test after the other)
	$(BIN)/python -X dev -m pytest $(or $(PYTEST_ARGS),--numprocesses auto --dist worksteal)

test-long: $(VENV)/dev.stamp ## every property on thousands of examples (minutes), and how many those were
	HYPOTHESIS_PROFILE=nightly $(BIN)/python -m pytest -p tests.support.examples -m hypothesis --timeout=1800 $(PYTEST_ARGS)

chaos: $(VENV)/dev.stamp ## five replicas while everything breaks, by a seed (5 minutes; SEED= SECONDS= REPLICAS= LEASE= DATABASES=)
	$(BIN)/python -m tests.chaos $(if $(SEED),--seed $(SEED)) --seconds $(SECONDS) --replicas $(REPLICAS) --tasks $(TASKS) --lease $(LEASE) --databases $(DATABASES)

chaos-handoffs: $(VENV)/dev.stamp ## the same for runs on Celery: leaders, workers and broker are killed and frozen (SEED= SECONDS=)
	PYTHONPATH=backend:. $(BIN)/python -m tests.executors.chaos $(if $(SEED),--seed $(SEED)) --seconds $(SECONDS)

mutants: $(VENV)/mutants.stamp ## break schedules and state machine line by line: do the tests notice? (an hour; MUTANTS=planner for a part)
	$(BIN)/python -m tests.support.mutants $(MUTANTS)

$(VENV)-bench/stamp: constraints/bench.txt $(VENV)-bench-apscheduler4/stamp
	@echo "Installing what is measured beside asyncsched (once) ..."
	@$(PYTHON) -m venv $(VENV)-bench
	@$(VENV)-bench/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes -r constraints/bench.txt
	@touch $@

$(VENV)-bench-apscheduler4/stamp: constraints/bench-apscheduler4.txt
	@$(PYTHON) -m venv $(VENV)-bench-apscheduler4
	@$(VENV)-bench-apscheduler4/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes -r constraints/bench-apscheduler4.txt
	@touch $@

bench: $(VENV)-bench/stamp ## measure beside the peers, half an hour on a quiet machine (QUICK=1 for a glance; ONLY=burst for a part)
	$(VENV)-bench/bin/python -m benchmarks $(if $(QUICK),--quick) $(if $(ONLY),--only $(ONLY)) $(BENCH_ARGS)

lint: $(VENV)/dev.stamp ## format, lint, types, import direction, migrations
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	PYTHONPATH=backend $(BIN)/lint-imports
	$(BIN)/python manage.py makemigrations --check --dry-run

format: $(VENV)/dev.stamp ## let ruff rewrite what it can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: $(VENV)/dev.stamp ## the documentation as a site, under var/site; a warning is an error
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet

screenshots: $(VENV)/dev.stamp ## take the pictures in docs/img anew, of a demo in a real browser, and draw the others
	$(BIN)/python -m tests.support.screenshots
	PYTHONPATH=backend $(BIN)/python -m tests.docs.drawings

dist: $(VENV)/dev.stamp ## the sdist and the wheel, under dist/, checked as a package index checks them
	$(BIN)/nox --session dist

matrix: $(VENV)/dev.stamp ## try the wheel on every Python that is here, with every Django (half an hour; PYTHONS=3.13 for a part)
	$(BIN)/nox --session installed units oldest $(if $(PYTHONS),--python $(PYTHONS))

constraints: ## pin every version again, with hashes (needs uv)
	uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header --no-annotate --python-version 3.11 --upgrade pyproject.toml --extra dev -o constraints/dev.txt
	uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header --no-annotate --python-version 3.11 pyproject.toml --extra home -c constraints/dev.txt -o constraints/home.txt
	uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header --no-annotate --python-version 3.11 pyproject.toml --extra demo -c constraints/dev.txt -o constraints/demo.txt
	uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header --no-annotate --python-version 3.11 pyproject.toml --extra mutants -c constraints/dev.txt -o constraints/mutants.txt
	uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header --no-annotate --python-version 3.11 pyproject.toml --extra bench -c constraints/dev.txt -o constraints/bench.txt
	uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header --no-annotate --python-version 3.11 constraints/django-cron.in -o constraints/django-cron.txt
	uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header --no-annotate --python-version 3.11 --prerelease allow pyproject.toml --extra bench-apscheduler4 -c constraints/dev.txt -o constraints/bench-apscheduler4.txt

clean: ## forget the environment and local data
	rm -rf $(VENV) $(VENV)-* .nox dist var .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
