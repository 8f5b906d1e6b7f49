#!/usr/bin/env bash
# The one door: set up, start, stop, look, test. Thin: what it does lives in novapulse/door.py.
set -u
unset CDPATH
cd -P -- "$(dirname -- "${BASH_SOURCE[0]}")" || exit 1

usage() {
    cat <<'TEXT'
Usage: ./SuperStart.sh [OPTION]

  (none)      set up what is missing, start everything, print the address and the demo sign-in
  --stop      stop everything, in order, and wait until it has ended
  --status    show each process and its health (exit code 0 running, 1 unwell, 3 not running)
  --logs      follow the logs (print their end when the output is no terminal)
  --rebuild   make the Python environment and the static files anew and restart; data is kept
  --shell     open a Django shell
  --test      run every check and test; what follows is handed to pytest
  --docker    start the containers of docker-compose.yml instead
  --stress    five minutes of load (comes with a later release)
  --stress72  three days of load (comes with a later release)
  --help      this text

Settings are read from the environment and .env; .env.example lists them. The most used:
  NOVA_PORT=8091 ./SuperStart.sh     another port
  DATABASE_URL, REDIS_URL            your own servers instead of the embedded ones
TEXT
}

say() { printf '%s\n' "$*" >&2; }

find_python() {
    local candidate
    for candidate in python3.13 python3.12 python3.11 python3; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
            printf '%s\n' "$candidate"
            return 0
        fi
    done
    if command -v python3 >/dev/null 2>&1; then
        say "NovaPulse needs Python 3.11 or newer; this machine has $(python3 -V 2>&1)."
    else
        say "NovaPulse needs Python 3.11 or newer; none was found. On Debian: apt-get install python3 python3-venv"
    fi
    return 1
}

install() {
    local python
    python=$(find_python) || exit 1
    "$python" -I novapulse/install.py "$@" || exit $?
}

installed_or() {
    if [ ! -x .venv/bin/python ]; then
        say "$1"
        exit "$2"
    fi
}

verb=${1:-}
[ $# -gt 0 ] && shift
case "$verb" in
    --test) ;;
    --logs) ;;
    *) if [ $# -gt 0 ]; then say "Unexpected argument: $1"; usage >&2; exit 2; fi ;;
esac

case "$verb" in
    "") install base; exec .venv/bin/python -m novapulse.door start ;;
    --stop) installed_or "Not running." 0; exec .venv/bin/python -m novapulse.door stop ;;
    --status) installed_or "Not running." 3; exec .venv/bin/python -m novapulse.door status ;;
    --logs) installed_or "Not running, and there are no logs yet." 3; exec .venv/bin/python -m novapulse.door logs "$@" ;;
    --rebuild)
        if [ -x .venv/bin/python ]; then .venv/bin/python -m novapulse.door stop; fi
        install base --fresh
        exec .venv/bin/python -m novapulse.door rebuild ;;
    --shell) install base; exec .venv/bin/python manage.py shell ;;
    --test) install dev; exec .venv/bin/python -m tests.run_all "$@" ;;
    --docker) install base; exec .venv/bin/python -m novapulse.containers ;;
    --stress | --stress72) say "$verb comes with a later release; nothing was started."; exit 1 ;;
    --help | -h) usage ;;
    *) say "Unknown option: $verb"; usage >&2; exit 2 ;;
esac
