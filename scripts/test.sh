#!/usr/bin/env bash
# Runs the tests, after making .venv with the dev extra if needed. What follows is handed on to pytest:
#
#   ./scripts/test.sh                       the suite, without the tests marked slow
#   ./scripts/test.sh -m slow               the slow ones
#   ./scripts/test.sh tests/test_score.py   one file

set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/environment.sh"

prepare_environment dev
# Two processes, one arithmetic thread each: on two cores that is faster than one process with two threads.
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}"
exec "$VENV_PYTHON" -m pytest -n 2 -m "not slow" "$@"
