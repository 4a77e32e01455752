#!/usr/bin/env bash
# Checks the code without running it: lint, format, types, and the rules on imports and names. CI runs it before the tests.

set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/environment.sh"

prepare_environment dev
announce "ruff check"
"$VENV_PYTHON" -m ruff check .
announce "ruff format --check"
"$VENV_PYTHON" -m ruff format --check .
announce "mypy"
"$VENV_PYTHON" -m mypy
announce "rules on imports and names"
"$VENV_PYTHON" -m pytest -q -p no:cacheprovider tests/test_architecture.py
