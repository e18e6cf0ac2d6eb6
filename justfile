# The daily commands. Nothing needs just: each line below can be typed as it stands, with .venv for {{VENV}}.

VENV := env("VENV", ".venv")

# this list
help:
    @just --list

# a virtual environment with all that tests need
setup:
    python3 -m venv {{VENV}} && {{VENV}}/bin/pip install -q -e '.[test]'

# the tests; just test tests/test_push.py -k name for some
test *ARGUMENTS:
    {{VENV}}/bin/pytest {{ARGUMENTS}}

# hundreds of lives of a clinic's homes, for so long
soak FOR="20m":
    {{VENV}}/bin/python tests/soak.py {{FOR}}

# what no clinic writes and no server answers, at random, for so long
fuzz FOR="10m":
    {{VENV}}/bin/python tests/fuzz/fuzzing.py {{FOR}}

# style and types
check:
    VENV={{VENV}} .ci/check

# puts imports and layout right
format:
    {{VENV}}/bin/ruff check --fix . && {{VENV}}/bin/ruff format .

# the documentation of the commands, and what shells offer, made from the program
docs:
    {{VENV}}/bin/python docs/make.py

# records the requests anew, after a change of them that is meant
cassettes:
    {{VENV}}/bin/pytest tests/test_cassettes.py --record-mode=rewrite

# a large push against a local Xero, measured
benchmark:
    PYTHONPATH=.:tests {{VENV}}/bin/python tests/benchmarks/push.py

# a large proof against a local Xero, measured
benchmark-proof:
    PYTHONPATH=.:tests {{VENV}}/bin/python tests/benchmarks/reconcile.py

# Xero's own SDK for Node against the local Xero; needs npm
clients:
    npm ci --prefix tests/clients && npm test --prefix tests/clients

# every page in a browser, looked at by axe-core too; needs npm and Chromium
pages:
    npm ci --prefix tests/pages && {{VENV}}/bin/pytest tests/test_browser.py

# the whole story on a local Xero
demo:
    {{VENV}}/bin/caspen-xero demo

# as before a change lands: the README's commands in fresh copies, then the checks
everything:
    .ci/run
