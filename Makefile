# Developers' shortcuts; each is one line over SuperStart.sh or a tool.
PYTHON := .venv/bin/python

.PHONY: setup run stop check test bench
setup: ; ./SuperStart.sh
run: setup
stop: ; ./SuperStart.sh --stop
check: ; $(PYTHON) -m tests.run_all --no-pytest
test: ; ./SuperStart.sh --test
bench: ; $(PYTHON) -m benchmarks.pipeline_vs_backtesting
