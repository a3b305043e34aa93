# On a fresh machine with python3 (3.11 or newer) and make: `make demo`, `make test`.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
RUNS   := $(VENV)/runs
TESTS  := $(VENV)/tests
READY  := $(VENV)/ready
SITE   := $(VENV)/site
PEERS  := $(VENV)-peers
LOCK   ?=
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check $(LOCK:%=--constraint %)
# Tests start Python a hundred times, so its bytecode is kept, whatever the environment says.
unexport PYTHONDONTWRITEBYTECODE
# A worker takes tests that stand together, so that what they share is made once.
PYTEST := $(BIN)/python -m pytest -n auto --dist worksteal
# roadrunner's compiler makes code that crashes in a process with gigabytes in use (docs/clients/tellurium.md): a test whose
# process died is run once more, in a new one. One that fails is not: no message of a failure is that of --only-rerun.
AGAIN  := --reruns 1 --only-rerun '^a crash, never a failure$$'
CORE   := tests/lower/test_lower.py tests/notation/test_notation.py tests/frontends/nn/test_dsl.py tests/frontends/nn/test_dsl_errors.py \
          tests/lower/test_lower_loops.py tests/engines/test_circles.py tests/engines/test_steady_state.py tests/engines/test_engine.py
COVERED := ir notation lower passes frontends

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-all exports amici test-lowest lock coverage mutants fuzz check release-check lint types imports samples accuracy compression training pictures bench bench-quick docs clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

setup: $(READY) ## make .venv with everything the project needs

# What a user needs: the compiler, and the programs that run its files.
$(RUNS): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "nn2crn needs Python 3.11 or newer: make PYTHON=python3.11")'
	@echo 'setting up $(VENV): about a minute and 1 GB'
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) 'pip>=25.1'
	@$(PIP) --editable '.[verify]'
	@touch $@

# What the tests need besides.
$(TESTS): $(RUNS)
	@$(PIP) --editable '.[verify,plot,report]' --group test
	@touch $@

# What a developer needs besides.
$(READY): $(TESTS)
	@echo 'adding the developers'\'' tools to $(VENV)'
	@$(PIP) --editable '.[verify,plot,report,cluster,sklearn]' --group dev
	@touch $@

# What the documentation is built with, and what its tutorials run.
$(SITE): $(READY)
	@$(PIP) --editable '.[train]' --group docs
	@touch $@

docs: $(SITE) ## build the documentation, build/docs/index.html; any warning fails
	@rm -rf build/docs
	$(BIN)/python -m sphinx -b html -W --keep-going -q docs build/docs

demo: $(RUNS) ## compile the iris sample to three formats and run it in roadrunner
	@mkdir -p build/demo
	$(BIN)/nn2crn compile --logits samples/iris/iris.onnx -o build/demo/iris.xml -o build/demo/iris.ant -o build/demo/iris.tex
	$(BIN)/python samples/classify.py samples/iris/iris.onnx build/demo/iris.xml samples/iris/iris.csv

samples: $(RUNS) ## compile every sample to every format, as a user's pipeline would
	$(MAKE) -C samples NN2CRN=$(abspath $(BIN))/nn2crn

accuracy: $(RUNS) ## measure docs/accuracy.md again: two minutes
	$(BIN)/python docs/accuracy.py

compression: $(READY) ## measure docs/compression.md again: six minutes, and PyTorch
	@$(PIP) --editable '.[train]'
	$(BIN)/python docs/compression.py

training: $(READY) ## measure docs/training.md, equilibrium.md and sparse.md again: an hour, and PyTorch
	@$(PIP) --editable '.[train]'
	$(BIN)/python docs/training.py

pictures: $(READY) ## make the pictures of docs/clients again: a minute
	$(BIN)/python docs/clients/pictures.py

bench: $(READY) $(PEERS) ## measure everything beside its peers, and write benchmarks/RESULTS.md: twenty minutes
	$(BIN)/python benchmarks/run.py --peers $(PEERS)/bin/python

bench-quick: $(READY) ## the same without the slowest, under three minutes
	$(BIN)/python benchmarks/run.py --quick

# Programs that want versions of their own, and AMICI, which is built: two minutes, and a C++ compiler.
$(PEERS):
	@$(PYTHON) -m venv $(PEERS)
	@$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check biocrnpyler amici

test: $(TESTS) ## run the tests but for the slow ones: four minutes on two cores
	$(PYTEST) tests/archives
	$(PYTEST) -m 'not slow'

test-all: $(READY) ## run every test, with more random examples: twenty minutes
	NN2CRN_THOROUGH=1 $(PYTEST) tests/archives
	NN2CRN_THOROUGH=1 $(PYTEST) $(AGAIN)

exports: $(READY) ## export models of PyTorch, Keras and scikit-learn, and compare: six minutes
	@$(PIP) torch onnxscript keras
	$(BIN)/python tests/models/exporters.py

amici: $(TESTS) $(PEERS) ## compile and simulate the samples in AMICI: five minutes
	NN2CRN_AMICI=$(abspath $(PEERS))/bin/python $(PYTEST) tests/evaluate/test_for_clients.py -k amici

# The clients want newer versions of NumPy than nn2crn does, so they are not there.
test-lowest: ## the tests of the core with the oldest versions allowed
	@$(PYTHON) -m venv --clear $(VENV)-lowest
	@$(PYTHON) tests/tools/lowest.py > $(VENV)-lowest/constraints.txt
	@$(VENV)-lowest/bin/python -m pip install --quiet --disable-pip-version-check \
		--constraint $(VENV)-lowest/constraints.txt --editable . pytest hypothesis
	$(VENV)-lowest/bin/python -m pytest -q -p no:cacheprovider $(CORE)

lock: ## write requirements-dev.lock, the versions that CI installs: a minute
	@$(PYTHON) -m venv --clear $(VENV)-lock
	@$(VENV)-lock/bin/python -m pip install --quiet --disable-pip-version-check 'pip>=25.1'
	@$(VENV)-lock/bin/python -m pip install --quiet --disable-pip-version-check \
		'.[verify,plot,report,cluster,sklearn]' --group dev --group docs --group clients
	@$(VENV)-lock/bin/python -m pip freeze --exclude nn2crn > requirements-dev.lock
	@rm -rf $(VENV)-lock

coverage: $(READY) ## what the tests reach of the compiler's core, branch by branch; below 95 % of a package fails
	$(PYTEST) $(COVERED:%=--cov=nn2crn.%) --cov-branch \
		--cov-report=term-missing:skip-covered --cov-report=json:build/coverage.json
	PYTHONPATH=tests/support:tests/models:tests/generators:tests/exports $(BIN)/python tests/tools/branches.py build/coverage.json $(COVERED)

mutants: $(READY) ## small faults in lowering and notation: do the tests notice each? three minutes
	@$(PIP) mutmut==3.8.1
	PYTHONPATH=tests/support:tests/models:tests/generators:tests/exports $(BIN)/python tests/tools/mutants.py

release-check: docs ## build packages and documentation, check them, and run the demo from the wheel, outside of this folder: five minutes
	@rm -rf build/release && mkdir -p build/release
	$(BIN)/python -m build --outdir build/release/dist .
	@$(PIP) twine
	$(BIN)/python -m twine check --strict build/release/dist/*
	$(BIN)/python -c 'import shutil; shutil.make_archive("build/release/nn2crn-docs", "zip", "build", "docs")'
	@$(PYTHON) -m venv --clear $(VENV)-release
	@$(VENV)-release/bin/python -m pip install --quiet --disable-pip-version-check "$$(echo build/release/dist/*.whl)[verify]"
	cp -r samples/iris samples/classify.py build/release/
	cd build/release && PYTHONSAFEPATH=1 $(abspath $(VENV))-release/bin/nn2crn compile --logits iris/iris.onnx -o iris.xml && \
		PYTHONSAFEPATH=1 $(abspath $(VENV))-release/bin/python classify.py iris/iris.onnx iris.xml iris/iris.csv

fuzz: $(READY) ## hostile files by the thousand, random graphs, nets and templates, and runs that are killed: twenty minutes
	PYTHONPATH=tests/support:tests/models:tests/generators:tests/exports $(BIN)/python tests/tools/fuzz.py
	@if $(PIP) atheris; then PYTHONPATH=tests/support:tests/models:tests/generators:tests/exports $(BIN)/python tests/tools/fuzz_parsers.py; \
	else echo 'atheris, which fuzzes the parsers, does not install here: that part is left out'; fi
	NN2CRN_KILLS=50 NN2CRN_GRAPHS=500 NN2CRN_NETS=20 NN2CRN_TEMPLATES=500 NN2CRN_NETWORKS=200 NN2CRN_FLOWERS=30 \
		$(PYTEST) tests/engines/stochastic/test_molecules_of_iris.py tests/cli/test_faults.py tests/onnx/test_differential.py tests/certificates/test_certify.py tests/certificates/test_proved.py

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python tests/tools/sizes.py

types: $(READY)
	$(BIN)/mypy

imports: $(READY)
	$(BIN)/lint-imports

check: lint types imports test ## everything that must hold before a change lands

clean: ## remove what was built, not .venv
	rm -rf build dist samples/build
