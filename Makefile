# The two commands of the README. Each makes a virtual environment, installs the locked versions for CPU, and runs.
# The newest Python that runs, can make environments, and has its versions in the folder `constraints`.
VERSION = -c 'import ensurepip, sys; print("%d.%d" % sys.version_info[:2])'
PYTHON ?= $(shell for name in python3.14 python3.13 python3.12 python3.11 python3; do \
	version=$$($$name $(VERSION) 2>/dev/null) && test -f constraints/$$version.txt && echo $$name && break; done)
VENV ?= .venv
RUN = $(VENV)/bin/python
INSTALL = $(RUN) -m pip install --quiet
LOCKED = --constraint constraints/$$($(RUN) $(VERSION)).txt

.PHONY: quickstart test parity browser benchmark lint

quickstart: $(VENV)/installed
	$(RUN) -m experiments.main --config=configs/quickstart.py

test: $(VENV)/installed
	$(RUN) -m pytest

# The same models live against PyTorch (its CPU build is 200 MB, the default build several GB).
parity: $(VENV)/installed
	$(INSTALL) torch==2.13.0
	$(INSTALL) $(LOCKED) --editable '.[test,parity]'
	$(RUN) -m pytest -m parity

# The report page in a headless Chromium, which Debian's packages have.
browser: $(VENV)/installed
	command -v chromedriver || (apt-get update -qq && apt-get install -y -qq chromium chromium-driver)
	$(INSTALL) $(LOCKED) --editable '.[test,browser]'
	$(RUN) -m pytest -m browser

# The transport engine and the decoders against their peers, half an hour on two cores.
benchmark: $(VENV)/installed
	$(INSTALL) torch==2.13.0 geomloss==0.3.1
	$(RUN) -m experiments.benchmark ot --pages experiments/results
	$(RUN) -m experiments.benchmark decoders --pages experiments/results

lint: $(VENV)/installed
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .

$(VENV)/installed: pyproject.toml $(wildcard constraints/*.txt)
	@test -n "$(PYTHON)" || { echo "No Python 3.11 to 3.14 was found that runs. Install one, or: make PYTHON=/its/path" >&2; exit 1; }
	test -x $(RUN) || $(PYTHON) -m venv $(VENV)
	$(INSTALL) $(LOCKED) --editable '.[test]'
	touch $@
