# One front door. Needs Debian's packages python3, python3-venv and make; nothing else.
PYTHON ?= python3
VENV   ?= .venv
RUN     = $(VENV)/bin
DEMO   ?= demo

COVERAGE = --cov=figsupport.core --cov-branch --cov-report=term-missing:skip-covered --cov-fail-under=100

.PHONY: demo test lint check kill faults month fleet bench picture clean

$(RUN)/figsupport: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(RUN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $(RUN)/figsupport

demo: $(RUN)/figsupport  ## a real request becomes a ticket, a quote, a subtask
	@VENV=$(VENV) sh examples/demo.sh $(DEMO)

test: $(RUN)/figsupport  ## the tests
	$(RUN)/python -m pytest $(ARGS)

lint: $(RUN)/figsupport  ## format, lint, types
	$(RUN)/ruff format --check .
	$(RUN)/ruff check .
	$(RUN)/mypy

check: lint  ## all that must be green; every branch of the core is tested
	$(MAKE) test ARGS="$(COVERAGE) --numprocesses auto --dist loadfile"

kill: $(RUN)/figsupport  ## kill the program at every step of every path (minutes)
	$(RUN)/python -m tests.kill --all

faults: $(RUN)/figsupport  ## fail every call of every path in every way (minutes)
	$(RUN)/python -m tests.faults --all

month: $(RUN)/figsupport  ## a month of 300 requests a day, with faults, restarts and silent clients (minutes)
	$(RUN)/python -m tests.month

fleet: $(RUN)/figsupport  ## kill a worker and a command in the middle of 200 cases (minutes)
	$(RUN)/python -m tests.fleet

bench: $(RUN)/figsupport  ## start-up and throughput, as ratios
	$(RUN)/python benchmarks/startup.py
	$(RUN)/python benchmarks/intake.py
	$(RUN)/python -m benchmarks.calls
	$(RUN)/python -m benchmarks.upload
	$(RUN)/python -m benchmarks.judge
	$(RUN)/python -m benchmarks.models
	$(RUN)/python -m benchmarks.serve --seconds 20

picture: $(RUN)/figsupport  ## the terminal picture of the README
	$(RUN)/python docs/picture.py

clean:
	rm -rf $(VENV) $(DEMO) .pytest_cache .mypy_cache .ruff_cache
