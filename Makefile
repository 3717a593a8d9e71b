# Listening Post. `make help` lists what can be made.

BIN := .venv/bin
SETUP := .venv/.setup
TEST_SETUP := .venv/.setup-test
ROUTER_SETUP := .venv-router/.setup
HOSTED_SETUP := build/hosted/.setup
# Two processes of tests more than there are cores, because many tests wait for programs that they start. Each has
# programs and screens of its own: more than four ask much memory.
PARALLEL = -n $(shell $(BIN)/python -c "import os; print(min(4, (os.cpu_count() or 1) + 2))") --dist worksteal
# All of it side by side; the words of each stay together.
LINT = $(MAKE) --no-print-directory -j 3 -k $(if $(filter output-sync,$(.FEATURES)),--output-sync=target) \
	lint-style lint-types lint-imports
# Compiled modules are kept: tests and benchmarks start the program hundreds of times, as users do.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup run test quick coverage lint lint-style lint-types lint-imports compiled bench docs manual screenshots package wheel deb router fleet hosted openings clean
.DEFAULT_GOAL := help

help:  ## list the targets
	@sed -n 's/^\([a-z]*\):.*  ## \(.*\)/make \1@\2/p' Makefile | column -t -s @

setup: $(SETUP)  ## make .venv with what the program needs

run: $(SETUP)  ## open the window on the demo workspace (without a display: serve it headless)
	@packaging/run.sh

# Lint runs beside the tests, and says at once what it finds.
test: compiled  ## lint, and run all tests
	@packaging/system-packages.sh test
	@mkdir -p build; ($(LINT) >build/lint.txt 2>&1 || { cat build/lint.txt; exit 1; }) & lint=$$!; \
	$(BIN)/python -m pytest $(PARALLEL) --durations=20; tests=$$?; \
	if wait $$lint; then echo "lint: nothing found"; else echo "lint: see above, or build/lint.txt"; tests=1; fi; exit $$tests

quick: lint  ## lint, then the tests of what has changed; SINCE=main: since that commit
	$(BIN)/python -m tests.quick $(SINCE)

coverage: compiled  ## run all tests and say which lines they leave out
	@packaging/system-packages.sh test
	$(BIN)/python -m pytest $(PARALLEL) --cov

lint: $(TEST_SETUP)  ## check style, types and import rules
	@$(LINT)

lint-style:
	$(BIN)/ruff check
	$(BIN)/ruff format --check

lint-types:
	$(BIN)/mypy

lint-imports:
	$(BIN)/lint-imports --no-logo

# Each process of tests would do it for itself.
compiled: $(TEST_SETUP)
	@$(BIN)/python -m compileall -q -j 0 app ui listening_post
	@$(BIN)/python -m tests.compiled

bench: $(TEST_SETUP)  ## measure the marks, print them and write build/bench.json
	@packaging/system-packages.sh bench
	$(BIN)/python -m tests.benchmarks

docs: $(TEST_SETUP)  ## write the tables of docs/ anew from the code
	$(BIN)/python -m app.commands.reference docs/*.md
	$(BIN)/python -m ui.actions.reference docs/*.md

manual: docs  ## build the manual's pages into build/manual/
	$(BIN)/python -m sphinx -W --keep-going -q -c packaging/manual -d build/manual/.tree docs build/manual

screenshots: $(TEST_SETUP)  ## draw the window into resources/screenshots/ and docs/pictures/
	@packaging/system-packages.sh screenshots
	$(BIN)/python -m tests.screenshots
	$(BIN)/python -m tests.pictures

package: $(TEST_SETUP)  ## freeze the program into dist/, one folder and one file, and try both
	@packaging/system-packages.sh package
	@packaging/setup.sh test,package
	$(BIN)/pyinstaller --noconfirm --log-level WARN --distpath dist --workpath build/package \
		packaging/listening-post.spec
	$(BIN)/python -m pytest -q tests/packaging/check_package.py
	$(BIN)/python -m tests.benchmarks size frozen

wheel: $(TEST_SETUP)  ## build wheel and sdist into dist/
	$(BIN)/python -m build --outdir dist

deb: $(TEST_SETUP)  ## make a Debian package of dist/listening-post/; install, start and remove it
	@packaging/system-packages.sh deb
	packaging/linux/deb.sh
	$(BIN)/python -m pytest -q tests/packaging/check_deb.py

router: $(ROUTER_SETUP)  ## start a WAMP router on loopback, for outposts: its keys and certificate lie in build/router/
	@.venv-router/bin/python packaging/crossbar/router.py build/router

fleet: compiled $(ROUTER_SETUP)  ## try 50 outposts on one router: lost links, killed programs, a flood; print figures
	$(BIN)/python -m tests.fleet

hosted: compiled $(HOSTED_SETUP)  ## run the tests of packages from PyPI, twist and twistd, without us and with us
	$(BIN)/python -m pytest -q --durations=5 tests/hosted/check_hosted.py

openings: compiled  ## open and close every dialog, page and dock 200 times, and count what stays
	@packaging/system-packages.sh test
	OPENINGS=200 $(BIN)/python -m pytest -q $(PARALLEL) --durations=5 tests/ui/test_opening.py tests/ui/test_left_over.py

clean:  ## remove .venv and all that was built
	rm -rf .venv .venv-router build dist *.egg-info .coverage .mypy_cache .ruff_cache .pytest_cache .hypothesis \
		.import_linter_cache
	find app ui resources listening_post tests -name __pycache__ -prune -exec rm -rf {} +

$(SETUP): pyproject.toml packaging/setup.sh
	@packaging/setup.sh
	@touch $@

$(ROUTER_SETUP): packaging/crossbar/requirements.txt packaging/crossbar/setup.sh
	@PYTHON=$(PYTHON) packaging/crossbar/setup.sh
	@touch $@

$(TEST_SETUP): pyproject.toml packaging/setup.sh
	@packaging/setup.sh test
	@touch $(SETUP) $@

# A Python that has nothing of ours, for programs of others.
$(HOSTED_SETUP): Makefile
	$(BIN)/python -m venv --clear build/hosted
	build/hosted/bin/python -m pip install --quiet --disable-pip-version-check "Twisted[conch,tls]" klein treq httpbin
	@touch $@
