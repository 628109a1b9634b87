# Everything a developer needs, on a machine with Python 3.11+, pip, git and make.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
RUNS   := $(VENV)/.installed
STAMP  := $(VENV)/.installed-dev
# Test files run side by side in so many processes; much of their time is waiting.
JOBS   ?= 2
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check

# Compiled modules make every start several times faster; some build machines switch them off.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: serve test unit kill storm lint types imports check bench bench-scale demo lock golden clean help

help:            ## list these commands
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/ —/'

$(RUNS): requirements.lock
	@echo "Setting up the virtual environment in $(VENV) (once, about a minute) …"
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "mmsgate needs Python 3.11 or newer; set PYTHON=python3.12, say")'
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { echo "$(PYTHON) can't make virtual environments: install python3-venv (Debian, Ubuntu), or set PYTHON to another Python" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) --require-hashes -r requirements.lock
	@$(PIP) --no-build-isolation --no-deps -e .
	@$(BIN)/python -m compileall -q src
	@touch $@

$(STAMP): $(RUNS) requirements-dev.lock
	@echo "Adding the tools for tests …"
	@$(PIP) --require-hashes -r requirements-dev.lock
	@touch $@

serve: $(RUNS)   ## set up, then run the embedded gateway with simulated phones
	@exec $(BIN)/mmsgate serve --demo $(ARGS)

test: $(STAMP)   ## set up, then run all tests (unit, integration, acceptance)
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile $(ARGS)

unit: $(STAMP)   ## only the tests that need no disk (under 10 s)
	$(BIN)/python -m pytest tests/unit $(ARGS)

kill: $(STAMP)   ## only the tests that kill -9 the gateway at every step, under load
	$(BIN)/python -m pytest tests/kill $(ARGS)

storm: $(STAMP)  ## ten thousand messages to a carrier that does everything wrong (some minutes)
	MMSGATE_TEST_STORM=10000 $(BIN)/python -m pytest tests/acceptance/test_storm.py $(ARGS)

lint: $(STAMP)   ## style and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)  ## strict types
	$(BIN)/mypy

imports: $(STAMP) ## the walls between the rooms
	$(BIN)/lint-imports

check: lint types imports test ## what CI runs

bench: $(STAMP)  ## the benchmark, gateway and floor in one run
	$(BIN)/python -m bench $(ARGS)

bench-scale: $(STAMP) ## 1, 2 and 4 workers on PostgreSQL, beside SQLite and a bare COPY
	$(BIN)/python -m bench scale --messages 8000 $(ARGS)

golden: $(STAMP) ## write the golden files anew; review the diff
	$(BIN)/python -m pytest tests -k golden --golden-update -q

lock: $(STAMP)   ## pin the dependencies anew
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes pyproject.toml --group build -o requirements.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes pyproject.toml --group dev -o requirements-dev.lock

clean:           ## remove the virtual environment and caches (not your data)
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
