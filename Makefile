# Every target works on a fresh Linux machine that has only Python 3.11+ and make.
PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed
.DEFAULT_GOAL := help
.PHONY: help env demo test lint format lab bench clean browser slurm

help:  ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /\1: /p' $(MAKEFILE_LIST) | column -t -s:

env: $(INSTALLED)  ## make .venv and install the project into it

$(INSTALLED): pyproject.toml environment.yml scripts/make_env.sh
	PYTHON=$(PYTHON) sh scripts/make_env.sh

demo: $(INSTALLED)  ## the tour on phantom studies, headless: six to eight minutes on 2 cores
	$(BIN)/workbench demo

test: $(INSTALLED) browser slurm  ## the whole test suite
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile

browser:
	sh scripts/install_chromium.sh

slurm:
	sh scripts/install_slurm.sh

lint: $(INSTALLED)  ## style, import directions, notebooks without outputs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/nbstripout --verify notebooks/*.ipynb

format: $(INSTALLED)  ## mend what ruff and nbstripout can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/nbstripout notebooks/*.ipynb

lab: $(INSTALLED)  ## JupyterLab on the loopback interface, behind a token
	$(BIN)/workbench lab

bench: $(INSTALLED)  ## speed as ratios inside one run: phantom, ingest, loader, training step
	for part in bench/*.py; do echo "== $$part"; $(BIN)/python $$part || exit 1; done

clean:  ## remove the environment and caches; outputs/ stays
	rm -rf .venv build *.egg-info .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
