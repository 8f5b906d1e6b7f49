# Developers' shortcuts over SuperStart.sh and the tools.
PYTHON := .venv/bin/python

.PHONY: setup run stop check test bench
setup: ; ./SuperStart.sh
run: setup
stop: ; ./SuperStart.sh --stop
check: ; $(PYTHON) -m tests.run_all --no-pytest
test: ; ./SuperStart.sh --test
bench:
	python3 -m venv .venv-bench
	.venv-bench/bin/pip install -q -r requirements/bench.txt
	PYTHONPATH=. .venv-bench/bin/python benchmarks/pipeline_vs_backtesting.py
