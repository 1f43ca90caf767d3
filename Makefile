# Set up, try, test and measure. `make` alone lists what there is.
#
# Knobs:  PYTHON  the interpreter that makes the environment (3.10 or newer)
#         VENV    where the environment lies; may be outside this clone and shared between clones
#         WORKERS   processes that run the tests
#         CONSUMERS_ARGS  of make consumers: bundles, --zoo <model zoo>/ci/verify_bundle.py; see docs/packages.md
#         FUZZ      what make fuzz is told, e.g. FUZZ='--readers nifti dicom'
#         SOAK      options of make soak, e.g. SOAK='--kills 24 --seed 1'; python -m tests.soak --help lists them
#         COVERAGE  options of make coverage, e.g. COVERAGE='--cohorts 100' for fewer, which only prints the tables
#         PIP_ARGS  more arguments for pip, e.g. PIP_ARGS='-c requirements.lock' for the tested versions
PYTHON   ?= python3
VENV     ?= .venv
WORKERS  ?= 2
PIP_ARGS ?=
CONSUMERS_ARGS ?=

SHELL := bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test test-fast test-coverage fuzz soak coverage test-deploy test-label lint format bench docs package verify consumers lock clean clean-cache

BIN := $(VENV)/bin

# The stamp's name tells what the environment was made for: these requirements and this clone. Another clone that takes
# over a shared environment removes it, and so `common` is always the one of the clone that runs.
REQUIREMENTS := requirements.txt requirements-dev.txt pyproject.toml
READY := $(VENV)/.made-for-$(shell { pwd -P; cat $(REQUIREMENTS); } | cksum | tr ' ' '-')

# The MONAI Deploy App SDK needs older versions of some packages.
DEPLOY := apps/monai_deploy
DEPLOY_VENV ?= .venv-deploy
DEPLOY_REQUIREMENTS := $(DEPLOY)/requirements.txt $(DEPLOY)/requirements.lock requirements.txt
DEPLOY_READY := $(DEPLOY_VENV)/.made-for-$(shell { pwd -P; cat $(DEPLOY_REQUIREMENTS); } | cksum | tr ' ' '-')

# MONAI Label needs older versions of some packages, and says so of others that it can do without.
LABEL := apps/monai_label
LABEL_VENV ?= .venv-label
LABEL_READY := $(LABEL_VENV)/.made-for-$(shell cksum < $(LABEL)/requirements.lock | tr ' ' '-')

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(READY)  ## all bundles on phantoms: training, evaluation, application
	@$(BIN)/python scripts/demo.py

test: $(READY)  ## run the tests
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

test-fast: $(READY)  ## run those that train and export nothing: about three minutes on two cores
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile -m "not slow"

test-coverage: $(READY)  ## lines and branches of common/ that those reach; fails below the floor in pyproject.toml
	@rm -f .coverage .coverage.*
	@$(BIN)/coverage run -m pytest -n $(WORKERS) --dist loadfile -m "not slow"
	@$(BIN)/coverage combine -q
	@$(BIN)/coverage report

fuzz: $(READY)  ## broken and odd inputs for every reader; FUZZ='--inputs 2000 --minutes 5' for fewer
	@$(BIN)/python -m tests.fuzz.run $(FUZZ)

soak: $(READY)  ## kill runs, fill disks, close folders at random moments: about half an hour, resumable (Linux)
	@$(BIN)/python -m tests.soak $(SOAK)

coverage: $(READY)  ## do intervals cover, are tests at their level? simulated cohorts, docs/statistics.md
	@$(BIN)/python -m tests.intervals $(COVERAGE)

test-deploy: $(DEPLOY_READY)  ## try the MONAI Deploy app, in an environment of its own
	@OMP_NUM_THREADS=$${OMP_NUM_THREADS:-1} $(DEPLOY_VENV)/bin/python -m pytest $(DEPLOY)/tests

test-label: $(LABEL_READY)  ## try the MONAI Label app, in an environment of its own
	@OMP_NUM_THREADS=$${OMP_NUM_THREADS:-1} $(LABEL_VENV)/bin/python -m pytest $(LABEL)/tests -v

lint: $(READY)  ## check style, types and the order of imports
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache --no-logo

format: $(READY)  ## put the code into the one style
	@$(BIN)/ruff check --fix-only .
	@$(BIN)/ruff format .

bench: $(READY)  ## measure what we promise about speed
	@$(BIN)/python benchmarks/run.py

docs: $(READY)  ## write the documents' tables and the prose of metadata.json
	@$(BIN)/python scripts/write_documents.py

package: $(READY)  ## each bundle as a folder and a zip in dist/ that need nothing of this repository
	@$(BIN)/python scripts/package.py

verify: $(READY)  ## check the packages in dist/ as the model zoo does
	@$(BIN)/python scripts/verify_packages.py

consumers: $(READY)  ## each bundle wherever MONAI bundles work, on phantoms: a table
	@LABEL_VENV=$(LABEL_VENV) DEPLOY_VENV=$(DEPLOY_VENV) $(BIN)/python scripts/try_consumers.py $(CONSUMERS_ARGS)

lock: $(READY)  ## record the installed versions in requirements.lock
	@{ echo "# The versions the tests last passed with ($$($(BIN)/python -V), $$(uname -s)); written by make lock."; \
	   echo "# Use it as a constraint: pip install -r requirements.txt -c requirements.lock"; \
	   $(BIN)/pip freeze --exclude-editable; } > requirements.lock

clean:  ## remove what the targets leave behind, the environment excepted
	@rm -rf demo consumers build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache
	@find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

clean-cache: $(READY)  ## empty the cache of prepared patients
	@$(BIN)/python -c 'from common.cache_folder import clear_cache; print(f"{clear_cache() / 1e9:.1f} GB freed")'

$(READY): | $(BIN)/pip
	@rm -f $(VENV)/.made-for-*
	@echo "Installing into $(VENV): 2 to 4 minutes and 6 GB the first time, seconds when all is there."
	@set -o pipefail; $(BIN)/pip install $(PIP_ARGS) -r requirements-dev.txt 2>&1 | tee $(VENV)/install.log \
	  | { grep --line-buffered -oE '(Downloading|Using cached) .*\(([0-9]{2,}[0-9.]* MB|[0-9.]+ GB)\)|Installing collected packages' || true; } \
	  || { tail -n 20 $(VENV)/install.log; echo "The installation failed; the whole log: $(VENV)/install.log"; exit 1; }
	@touch $@

$(DEPLOY_READY):
	@echo "Installing into $(DEPLOY_VENV): minutes and 7 GB the first time."
	@$(PYTHON) -m venv $(DEPLOY_VENV)
	@rm -f $(DEPLOY_VENV)/.made-for-*
	@$(DEPLOY_VENV)/bin/pip install -q -r $(DEPLOY)/requirements.txt -c $(DEPLOY)/requirements.lock
	@touch $@

$(LABEL_READY):
	@echo "Installing into $(LABEL_VENV): minutes and 6 GB the first time."
	@$(PYTHON) -m venv $(LABEL_VENV)
	@rm -f $(LABEL_VENV)/.made-for-*
	@$(LABEL_VENV)/bin/pip install -q --no-deps -r $(LABEL)/requirements.lock
	@touch $@

$(BIN)/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2> /dev/null || { \
	  echo "Python 3.10 or newer is needed; '$(PYTHON) -V' says: $$($(PYTHON) -V 2>&1 | tail -n 1)." \
	       "Name another one: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2> /dev/null || { \
	  echo "$(PYTHON) lacks its venv module. On Debian and Ubuntu: apt install python3-venv"; exit 1; }
	@echo "Making a virtual environment in $(VENV)."
	@$(PYTHON) -m venv $(VENV)
