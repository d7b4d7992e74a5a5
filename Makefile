# Two commands do everything, on a machine that has Python 3.11 or newer, pip, make and a C compiler:
#
#   make demo    set up, and tell the whole story on synthetic people
#   make test    set up, and run the linter, the type checker and the tests (what .ci/run calls)
#
# Set-up is a virtual environment in .venv whose every package is checked against a hash in requirements/*.lock. It is
# made once, and again only when a lock changes. After that nothing here needs a network.

PYTHON ?= python3
# Workers of the tests. Fixed, not "auto": containers often see more cores than they may use.
JOBS ?= 2

VENV := .venv
BIN := $(VENV)/bin
LOCKS := requirements/director.lock requirements/build.lock
# Wheels only: building a package from its source would fetch that package's own build tools, which no lock covers. Where
# there is no wheel (an Intel Mac, say), `make WHEELS= demo` builds from the hash-checked sources all the same.
WHEELS ?= --only-binary :all:
# pip of the environment, or, where a distribution ships Python without ensurepip, the caller's pip aimed at it.
PIP = $$($(BIN)/python -m pip --version >/dev/null 2>&1 && echo "$(BIN)/python -m pip" || echo "$(PYTHON) -m pip --python $(BIN)/python") \
	--disable-pip-version-check --no-input

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help demo setup test tests test-long interop lint format types bench docs lock clean

help:  ## what there is to make
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(firstword $(MAKEFILE_LIST)) | awk -F '\t' '{ printf "  make %-10s %s\n", $$1, $$2 }'

demo: $(VENV)/.project  ## set up, and tell the whole story on synthetic people
	@$(BIN)/fieldvault demo

setup: $(VENV)/.project $(VENV)/.dev  ## set up only

test: lint types tests  ## set up, and run linter, type checker and tests

tests: setup  ## the tests alone
	@$(BIN)/python -m pytest -n $(JOBS)

# Suites marked `long`: each bounds itself in count and time. Collected first, so that the absence of any is said
# plainly and is not mistaken for a test run that ran nothing.
test-long: setup  ## the bounded long suites
	@status=0; $(BIN)/python -m pytest -m long --collect-only -q >/dev/null 2>&1 || status=$$?; \
	if [ $$status -eq 5 ]; then echo "There are no long suites yet."; \
	else HYPOTHESIS_PROFILE=long $(BIN)/python -m pytest -m long -n $(JOBS); fi

# The verifiers stand in .venv-interop, made from requirements/interop.lock. Exit 3: they could not be had here, and one line
# has said why and what was therefore not checked. That is no failure; packages of other hashes than the lock's are.
interop: setup  ## let other people's verifiers check what we publish (they need Python 3.12)
	@status=0; $(BIN)/python -m tests.interop.prepare || status=$$?; \
	if [ $$status -eq 0 ]; then $(BIN)/python -m pytest -m interop; elif [ $$status -ne 3 ]; then exit $$status; fi

lint: setup  ## ruff: rules and format
	@$(BIN)/python -m ruff check .
	@$(BIN)/python -m ruff format --check .

format: setup  ## put every file into the house format
	@$(BIN)/python -m ruff check --fix .
	@$(BIN)/python -m ruff format .

types: setup  ## mypy, strict, over the whole tree
	@$(BIN)/python -m mypy

bench: setup  ## race the peers
	@$(BIN)/python -m benchmarks

docs: setup  ## write docs/cli.md anew from the commands themselves
	@$(BIN)/python -m cli.reference > docs/cli.md.part
	@mv docs/cli.md.part docs/cli.md

clean:  ## remove everything that make made
	rm -rf $(VENV) .venv-lock .venv-interop .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist
	find vault cli tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

# ---- set-up --------------------------------------------------------------------------------------------------------

# One line that says what is wrong, instead of an error from deep inside an installer.
define check_python
	@command -v $(PYTHON) >/dev/null 2>&1 || { echo "fieldvault needs Python 3.11 or newer, and there is no '$(PYTHON)': name one with make PYTHON=..." >&2; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "fieldvault needs Python 3.11 or newer, and '$(PYTHON)' is $$($(PYTHON) -V 2>&1): name another with make PYTHON=..." >&2; exit 2; }
endef

# A changed lock means a fresh environment: no package of an earlier lock stays behind.
$(VENV)/.runtime: $(LOCKS)
	$(check_python)
	@echo "Setting up $(VENV) ..." >&2
	@$(PYTHON) -m venv --clear $(VENV) >/dev/null 2>&1 || $(PYTHON) -m venv --clear --without-pip $(VENV)
	@$(PIP) install --quiet --require-hashes $(WHEELS) $(addprefix -r ,$(LOCKS))
	@touch $@

# The back end is already there from its lock; --no-build-isolation keeps pip from fetching another, unchecked one. The
# program compiles nothing to a file itself (it writes where it is told to, and nowhere else), so that is done here.
$(VENV)/.project: $(VENV)/.runtime pyproject.toml
	@$(PIP) install --quiet --no-index --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m compileall -q vault cli
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements/dev.lock
	@$(PIP) install --quiet --require-hashes $(WHEELS) -r requirements/dev.lock
	@touch $@

# ---- locks ---------------------------------------------------------------------------------------------------------

# Resolves pyproject.toml for Python 3.11 and newer on Linux, macOS and Windows at once. dev.lock is resolved first and
# binds the others, so that one environment can hold them all; interop.lock is for an environment of its own, of Python
# 3.12 and newer. Versions that still fit are kept; UPGRADE=--upgrade takes
# the newest. The tool that locks comes from its own lock. The only target that changes what is installed: read the diff.
COMPILE = .venv-lock/bin/python -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" $(UPGRADE)

lock:  ## resolve the dependencies anew (UPGRADE=--upgrade for newer ones)
	$(check_python)
	@$(PYTHON) -m venv .venv-lock
	@.venv-lock/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/tools.lock
	$(COMPILE) pyproject.toml --extra director --group dev --group build -o requirements/dev.lock
	$(COMPILE) pyproject.toml -c requirements/dev.lock -o requirements/runtime.lock
	$(COMPILE) pyproject.toml --extra director -c requirements/dev.lock -o requirements/director.lock
	$(COMPILE) --group build -c requirements/dev.lock -o requirements/build.lock
	$(COMPILE) --group tools -o requirements/tools.lock
	$(COMPILE:3.11=3.12) --group interop -o requirements/interop.lock
