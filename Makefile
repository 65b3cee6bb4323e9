# Everything a newcomer types. The environment is made in .venv on first use.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV   := .venv
RUN    := $(VENV)/bin/python
export MPLBACKEND := Agg
TESTS  :=  # which tests of package, test-oldest and test-nightly: all by default

.PHONY: help demo docs package test-oldest test-nightly examples test test-slow test-integrations battery weights odd-inputs test-browser bench bench-peers bench-growth bench-labels study-loss-tails study-entanglement study-losses study-learning-phases study-refinement study-epoch-ensemble study-label-noise study-check lint clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20

$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(RUN) -m pip install --quiet --constraint constraints.txt --editable .
	@touch $@

$(VENV)/.installed-test: $(VENV)/.installed
	$(RUN) -m pip install --quiet --constraint constraints.txt --editable ".[test]"
	@touch $@

$(VENV)/.installed-integrations: $(VENV)/.installed-test
	$(RUN) -m pip install --quiet --constraint constraints.txt --editable ".[integrations]"
	@touch $@

$(VENV)/.installed-benchmarks: $(VENV)/.installed-test
	$(RUN) -m pip install --quiet --constraint constraints.txt --editable ".[benchmarks]"
	@touch $@

$(VENV)/.installed-docs: $(VENV)/.installed-test
	$(RUN) -m pip install --quiet --constraint constraints.txt --editable ".[docs]"
	@touch $@

demo: $(VENV)/.installed ## Set up, train on real digits, print a table, write output/1_digits.png
	$(RUN) examples/1_record_and_look.py

examples: $(VENV)/.installed ## Run every example
	@for example in examples/[0-9]*.py; do echo "== $$example"; $(RUN) $$example || exit 1; done

test: $(VENV)/.installed-test ## Run the tests, the examples and the docstrings' examples (minutes)
	$(RUN) -m pytest -m "not slow" --numprocesses 2 --dist worksteal

test-slow: $(VENV)/.installed-test ## Run the long checks too
	$(RUN) -m pytest

test-integrations: $(VENV)/.installed-integrations ## Install Lightning, transformers, Keras, accelerate, XGBoost, LightGBM, and test what records them (a gigabyte; minutes)
	$(RUN) -m pytest tests/recording/integrations tests/dynamics/test_boosting.py tests/docs/test_frameworks.py
	$(RUN) -m tests.recording.integrations

battery: $(VENV)/.installed-test ## Print which laws hold for modules, losses and callbacks that are not ours (a minute)
	$(RUN) -m tests.classifiers.battery

weights: $(VENV)/.installed-test ## Print how far weights are from leaving out and repeating (two minutes)
	$(RUN) -W ignore -m tests.classifiers.battery.weights

odd-inputs: $(VENV)/.installed-test ## Print what becomes of six hundred odd inputs: right, or refused in words
	$(RUN) -m tests.classifiers.odd_inputs

test-browser: $(VENV)/.installed-test ## Check the report in a headless browser (installs chromium and two npm packages)
	@command -v chromium > /dev/null || { apt-get update && apt-get install --yes chromium; }
	npm install --prefix build/browser --no-save --no-fund --no-audit --silent axe-core@4 puppeteer-core@24
	$(RUN) -m tests.reports.browser.make_pages build/browser/pages
	cd build/browser && node ../../tests/reports/browser/check_pages.mjs pages

docs: $(VENV)/.installed-docs ## Build the site into build/docs; a warning or a broken local link is an error (minutes)
	rm -rf docs/api build/docs
	$(VENV)/bin/sphinx-build -E -W --keep-going -q -b html docs build/docs
	$(RUN) docs/check_links.py build/docs

package: $(VENV)/.installed-test ## Build wheel and sdist, and try both in fresh environments (the sdist with the whole test suite; half an hour)
	rm -rf dist build/lib build/package
	$(RUN) -m pip install --quiet build
	$(RUN) -m build --outdir dist
	$(PYTHON) -m venv build/package/wheel
	build/package/wheel/bin/python -m pip install --quiet --constraint constraints.txt dist/*.whl
	cd build/package && wheel/bin/python -I ../../tests/packaging/installed.py
	mkdir -p build/package/empty && cd build/package/empty && ../wheel/bin/python -I ../../../tests/readme_blocks.py ../../../README.md
	mkdir -p build/package/sdist && tar -xzf dist/*.tar.gz --strip-components=1 --directory build/package/sdist
	$(PYTHON) -m venv build/package/environment
	cd build/package/sdist && ../environment/bin/python -m pip install --quiet --constraint constraints.txt ".[test]"
	cd build/package/sdist && ../environment/bin/python -m pytest -m "not slow" --numprocesses 2 --dist worksteal $(TESTS)

test-oldest: ## Run the tests with the oldest versions that are allowed, in a fresh environment (gigabytes; half an hour)
	rm -rf build/oldest && mkdir -p build/oldest
	$(PYTHON) -m tests.packaging.oldest_versions > build/oldest/versions.txt
	$(PYTHON) -m venv build/oldest/environment
	build/oldest/environment/bin/python -m pip install --quiet --constraint build/oldest/versions.txt --editable ".[test,dask,frames,reports]"
	build/oldest/environment/bin/python -m pytest -W default -m "not slow" --numprocesses 2 --dist worksteal $(TESTS) # they warn of their own future

test-nightly: ## Run the tests with pre-releases of numpy, scipy and scikit-learn, if the index has any (PIP_EXTRA_INDEX_URL adds another)
	rm -rf build/nightly && mkdir -p build/nightly
	$(PYTHON) -m venv build/nightly/environment
	build/nightly/environment/bin/python -m pip install --quiet --constraint constraints.txt --editable ".[test]"
	build/nightly/environment/bin/python -m pip install --quiet --pre --upgrade numpy scipy scikit-learn
	@if build/nightly/environment/bin/python -m tests.packaging.prereleases; then \
		build/nightly/environment/bin/python -m pytest -W default -m "not slow" --numprocesses 2 --dist worksteal $(TESTS); fi # they warn of what is to come

LONG_BENCHES := benchmarks/bench_label_errors.py benchmarks/bench_peers.py

bench: $(VENV)/.installed-test ## Print the tables of benchmarks/ (two torch threads; a quiet machine, please)
	@for bench in $(filter-out $(LONG_BENCHES),$(sort $(wildcard benchmarks/bench_*.py))); do \
		echo "== $$bench"; $(RUN) $$bench || exit 1; done

bench-peers: $(VENV)/.installed-benchmarks ## Install Lightning, Keras and pytabkit, and print our speed beside theirs (a gigabyte; half an hour)
	$(RUN) benchmarks/bench_peers.py

bench-growth: $(VENV)/.installed-test ## Print how time grows with samples, epochs, members and classes (half a minute)
	$(RUN) benchmarks/bench_growth.py

bench-labels: $(VENV)/.installed-test ## Print the tables on wrong labels, of three kinds, beside cleanlab's (an hour; MNIST on disk)
	$(RUN) benchmarks/bench_label_errors.py

study-loss-tails: $(VENV)/.installed-test ## Do the claims on loss tails hold? (MNIST and others on disk)
	$(RUN) benchmarks/studies/loss_tails.py

study-entanglement: $(VENV)/.installed-test ## Do the claims on inversion and stragglers hold? (MNIST on disk)
	$(RUN) benchmarks/studies/entanglement.py

study-losses: $(VENV)/.installed-test ## Do the claims on twelve losses hold? (up to an hour; MNIST and others on disk)
	$(RUN) benchmarks/studies/losses.py

study-learning-phases: $(VENV)/.installed-test ## Do the claims on learning phases hold? (CIFAR-10 and others on disk)
	$(RUN) benchmarks/studies/learning_phases.py

study-refinement: $(VENV)/.installed-test ## Is the epoch of least refined loss the best one once calibrated? (8 minutes; MNIST and others on disk)
	$(RUN) benchmarks/studies/refinement.py

study-epoch-ensemble: $(VENV)/.installed-test ## Is the average over epochs right more often than the last? (MNIST and others on disk)
	$(RUN) benchmarks/studies/epoch_ensemble.py

study-label-noise: $(VENV)/.installed-test ## Are wrong labels of three kinds found, and counted?
	$(RUN) benchmarks/studies/label_noise.py

study-check: $(VENV)/.installed-test ## Do README, tables, rules and claims of the studies agree?
	$(RUN) benchmarks/studies/agreement.py

lint: $(VENV)/.installed-test ## Check style, format, types and docstrings
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(RUN) -m tests.numpydoc_check

clean: ## Remove the environment and what the examples wrote
	rm -rf $(VENV) output build *.egg-info
