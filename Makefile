# The daily commands. Nothing needs make: each line below can be typed as it stands.

VENV ?= .venv
FOR ?= 20m

.PHONY: help setup test soak check format cassettes benchmark demo everything

help:  ## this list
	@sed -n 's/^\([a-z]*\):.*## /make \1\t/p' Makefile | expand -t 18

setup:  ## a virtual environment with all that tests need
	python3 -m venv $(VENV) && $(VENV)/bin/pip install -q -e '.[test]'

test:  ## the tests; make test T="tests/test_push.py -k name" for some
	$(VENV)/bin/pytest $(T)

soak:  ## hundreds of lives of a clinic's homes; make soak FOR=20m for so long
	$(VENV)/bin/python tests/soak.py $(FOR)

check:  ## style and types
	VENV=$(VENV) .ci/check

format:  ## puts imports and layout right
	$(VENV)/bin/ruff check --fix . && $(VENV)/bin/ruff format .

cassettes:  ## records the requests anew, after a change of them that is meant
	$(VENV)/bin/pytest tests/test_cassettes.py --record-mode=rewrite

benchmark:  ## a large push against a local Xero, measured
	PYTHONPATH=.:tests $(VENV)/bin/python tests/benchmarks/push.py

demo:  ## the whole story on a local Xero
	$(VENV)/bin/caspen-xero demo

everything:  ## as before a change lands: the README's commands in fresh copies, then the checks
	.ci/run
