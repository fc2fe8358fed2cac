# The few daily commands. Everything they do is in `ipso --help`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export IPSO_HOME ?= $(CURDIR)/data
export DAGSTER_HOME ?= $(CURDIR)

.PHONY: run test up status setup lint lock clean

## install what is pinned, build the demo county through all gates, release and report
run: setup
	@$(BIN)/ipso setup
	@$(BIN)/ipso demo
	@$(BIN)/ipso run

## all tests (they build their own small installation), one worker per core up to four
test: setup
	$(BIN)/python -m pytest -n logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder

## Dagster UI with its daemon, and the report, both on 127.0.0.1
up: setup
	$(BIN)/ipso up

status: setup
	$(BIN)/ipso status

setup: $(VENV)/.installed

# uv, itself pinned and hashed, installs the same lock several times faster than pip; compiled once here, each of the many
# later starts (ipso check, dbt, workers) saves seconds, also where PYTHONDONTWRITEBYTECODE is set
$(VENV)/.installed: requirements.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	@echo "Installiere Python-Pakete (einmalig) ..."
	@awk '/^uv==/{on=1} on{print} on && !/\\$$/{exit}' requirements.txt > $(VENV)/uv.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(VENV)/uv.txt
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@

lint: setup
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/sqlfluff lint models dbt_project

## write requirements.txt anew from pyproject.toml (pinned, hashed, no addresses)
lock: setup
	$(BIN)/uv pip compile --no-strip-extras --generate-hashes --no-emit-index-url --no-header --no-annotate \
	  --python-version 3.11 --extra node --extra dev pyproject.toml -o requirements.txt

## remove everything that was built; deliveries in data/archive stay
clean:
	rm -rf $(VENV) target logs .pytest_cache .mypy_cache .ruff_cache reports/node_modules reports/.evidence reports/build
