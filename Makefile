# Two commands do everything: `make run` and `make test`.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

.PHONY: run up test check bench model-cards faults storm bugs proofs format lock clean

run: $(STAMP)  ## the main job: collect, understand, route, follow up, close, measure
	$(BIN)/voc run

up: $(STAMP)  ## Prefect server, worker and web app, until Ctrl-C
	$(BIN)/voc up

test: $(STAMP)  ## three files at a time: much of it is waiting for servers; the many small ones come last
	$(BIN)/python -m pytest -q -n 3 --dist loadfile --no-loadscope-reorder

check: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(STAMP)  ## how fast understanding is, beside what others do; minutes
	$(BIN)/python -m benchmarks.understanding

model-cards: $(STAMP)  ## measure the models, rewrite the tables of docs/models; minutes
	$(BIN)/python -m apps.cli.model_cards

faults: $(STAMP)  ## every boundary call of every flow fails once, in three ways; half an hour
	$(BIN)/python -m tests.faults.matrix --write
	$(BIN)/python -m tests.faults.under_prefect

storm: $(STAMP)  ## senders killed at random, faulty mail servers; half an hour
	$(BIN)/python -m tests.faults.storm --write

bugs: $(STAMP)  ## bugs put in on purpose, one by one: each must be found; minutes
	$(BIN)/python -m tests.machine run --runs 300
	$(BIN)/python -m tests.machine bugs --write

proofs: $(STAMP)  ## a short form of these; minutes
	$(BIN)/python -m tests.faults.matrix --short
	$(BIN)/python -m tests.faults.storm --short
	$(BIN)/python -m tests.machine bugs

format: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: $(STAMP)  ## after changing pyproject.toml: the versions that are installed now
	$(BIN)/python -m pip list --format=freeze --exclude pip --exclude setuptools --exclude vocloop \
	  | sed 's/^\(torch==[0-9.]*\)+.*/\1/' > requirements.lock

clean:
	rm -rf .venv build

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || (echo "vocloop needs Python 3.11 or newer: make run PYTHON=python3.12" && exit 1)
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@# torch first and by itself: a CPU wheel that is offered already is taken.
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "$$(grep '^torch==' requirements.lock)"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	touch $(STAMP)
