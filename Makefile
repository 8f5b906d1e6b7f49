# Developers' shortcuts over SuperStart.sh and the tools.
PYTHON := .venv/bin/python

.PHONY: setup run stop check test bench bench-full
setup: ; ./SuperStart.sh
run: setup
stop: ; ./SuperStart.sh --stop
check: ; $(PYTHON) -m tests.run_all --no-pytest
test: ; ./SuperStart.sh --test
bench: ; PYTHONPATH=. $(PYTHON) benchmarks/report.py --short
bench-full: ; PYTHONPATH=. $(PYTHON) benchmarks/report.py --write docs/performance.md --json var/bench/report.json
