#!/usr/bin/env bash
# Runs the tests in .venv, which is made with the dev extra if needed. Arguments are passed to pytest:
#
#   ./scripts/test.sh                       the suite, without the tests marked slow
#   ./scripts/test.sh -m slow               the slow ones
#   ./scripts/test.sh tests/test_score.py   one file
#
# With CI=true the tests of the pages need Chromium: on Debian it is installed if the user is root, and a test without it
# fails instead of being skipped.

set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/environment.sh"

install_chromium() {
    command -v chromium chromium-browser google-chrome >/dev/null && return
    if [[ "$(id -u)" == 0 ]] && command -v apt-get >/dev/null; then
        announce "Installing Chromium for the tests of the pages"
        apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null
    fi
}

prepare_environment dev
if [[ -n "${CI:-}" ]]; then install_chromium; fi
# Two processes, one arithmetic thread each: on two cores that is faster than one process with two threads.
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}"
exec "$VENV_PYTHON" -m pytest -n 2 -m "not slow" "$@"
