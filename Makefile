# `make` alone lists the targets. Every target makes the environment first where there is none.
SHELL := bash
.DEFAULT_GOAL := help
export PYTHONPATH := $(CURDIR)$(if $(PYTHONPATH),:$(PYTHONPATH))
with_python = set -e; python="$$(scripts/environment.sh --need dev)"; "$$python"
arguments ?=

.PHONY: help setup test test-slow test-browser test-faults lint format types imports mutants bench docs docs-test purge clean

help:  ## list the targets
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' Makefile | expand -t 22

setup:  ## make the environment and say which Python it is
	@scripts/environment.sh --need dev

test:  ## the fast tests (arguments="-k recordio" picks some)
	@$(with_python) -m pytest --numprocesses auto --maxprocesses 8 --dist loadfile $(arguments)

test-slow:  ## the tests that take minutes
	@$(with_python) -m pytest -m slow $(arguments)

test-browser:  ## the tests that need node and Chromium
	@$(with_python) -m pytest -m browser $(arguments)

test-faults:  ## the tests that kill, starve and break running programs
	@$(with_python) -m pytest -m faults $(arguments)

lint: types imports  ## ruff, mypy and the import rules
	@$(with_python) -m ruff check . && "$$python" -m ruff format --check .

types:  ## mypy
	@$(with_python) -m mypy

imports:  ## the import rules between packages (import-linter)
	@$(with_python) -c 'import sys; from importlinter.cli import lint_imports_command; sys.exit(lint_imports_command())' --no-cache

format:  ## write every file in the one style
	@$(with_python) -m ruff check --fix-only --quiet . && "$$python" -m ruff format .

mutants:  ## small changes of the code that no test notices (PATHS="fairface/scoring" COUNT=100 SEED=0)
	@$(with_python) scripts/mutants.py $(PATHS) --count $(or $(COUNT),100) --seed $(or $(SEED),0) $(arguments)

bench:  ## all benchmarks, side by side with their peers (needs the extra `bench`)
	@$(with_python) -V; for program in $$(grep -l '^def main(argv' benchmarks/*.py); do echo "== $$program"; "$$python" "$$program" $(arguments); done

docs:  ## build the site of the documents and docstrings into build/docs/site
	@set -e; python="$$(scripts/environment.sh --need docs)"; "$$python" scripts/build_docs.py $(arguments)

docs-test:  ## check every link of the documents, and type their commands from top to bottom
	@$(with_python) -m pytest unittests/test_docs.py unittests/test_recipes.py unittests/docs $(arguments)

purge:  ## list embeddings and landmarks in the output folders (arguments=--remove removes them)
	@$(with_python) data_process/purge.py $(arguments)

clean:  ## remove caches and build leftovers; never data, models or the environment
	@rm -rf build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -not -path './.venv/*' -not -path './datasets/*' -type d -prune -exec rm -rf {} +
