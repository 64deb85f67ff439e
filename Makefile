# The two commands of the README. Each makes a virtual environment, installs the locked versions for CPU, and runs.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV ?= .venv
RUN = $(VENV)/bin/python

.PHONY: quickstart test parity browser benchmark lint

quickstart: $(VENV)/installed
	$(RUN) -m experiments.main --config=configs/quickstart.py

test: $(VENV)/installed
	$(RUN) -m pytest

# The same models live against PyTorch (its CPU build is 200 MB, the default build several GB).
parity: $(VENV)/installed
	$(RUN) -m pip install --quiet torch==2.13.0
	$(RUN) -m pip install --quiet --constraint constraints.txt --editable '.[test,parity]'
	$(RUN) -m pytest -m parity

# The report page in a headless Chromium, which Debian's packages have.
browser: $(VENV)/installed
	command -v chromedriver || (apt-get update -qq && apt-get install -y -qq chromium chromium-driver)
	$(RUN) -m pip install --quiet --constraint constraints.txt --editable '.[test,browser]'
	$(RUN) -m pytest -m browser

# The transport engine and the decoders against their peers, half an hour on two cores.
benchmark: $(VENV)/installed
	$(RUN) -m pip install --quiet torch==2.13.0 geomloss==0.3.1
	$(RUN) -m experiments.benchmark ot
	$(RUN) -m experiments.benchmark decoders

lint: $(VENV)/installed
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .

$(VENV)/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(RUN) -m pip install --quiet --constraint constraints.txt --editable '.[test]'
	touch $@
