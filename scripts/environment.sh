# Sourced by the other scripts: makes .venv, the virtual environment that they all use.
#
#   prepare_environment EXTRAS   installs seqmusic with extras (such as score,report, or dev) into .venv, and enters the repository
#
# Afterwards "$VENV_PYTHON" is its interpreter. PYTHON chooses the interpreter that makes .venv.

unset CDPATH PYTHONHOME
REPOSITORY="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)"
VENV="$REPOSITORY/.venv"
VENV_PYTHON="$VENV/bin/python"

announce() { printf '== %s\n' "$*"; }

fail() {
    printf 'error: %s\n' "$*" >&2
    exit 2
}

# Succeeds if the command is a Python that runs seqmusic (a name on the path may be a shim without an interpreter).
is_suitable_python() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

find_python() {
    if [[ -n "${PYTHON:-}" ]]; then
        is_suitable_python "$PYTHON" || fail "PYTHON=$PYTHON is not a Python 3.11 or newer; unset it or name another"
        printf '%s\n' "$PYTHON"
        return
    fi
    local candidate
    for candidate in python3 python3.12 python3.11 python3.13 python; do
        if is_suitable_python "$candidate"; then
            printf '%s\n' "$candidate"
            return
        fi
    done
    fail "no Python 3.11 or newer was found; install one, or name it: PYTHON=/path/to/python3.12 $0"
}

make_venv() {
    local python
    python="$(find_python)"
    announce "Making .venv with $("$python" --version 2>&1)"
    "$python" -m venv --clear "$VENV" >/dev/null 2>&1 && return
    rm -rf -- "$VENV"
    fail "'$python -m venv' failed; check that its venv module is installed (on Debian and Ubuntu: the package python3-venv) and that the disk is not full"
}

# Prints a digest of all that the installed packages depend on, the folder included: an editable installation names it.
installation_fingerprint() {
    { printf '%s\n' "$REPOSITORY"; cat constraints.txt pyproject.toml; "$VENV_PYTHON" --version; } | cksum
}

is_installed() { [[ "$(cat "$VENV/.installed-$1" 2>/dev/null)" == "$(installation_fingerprint)" ]]; }

prepare_environment() {
    local extra="$1"
    cd -- "$REPOSITORY"
    "$VENV_PYTHON" -c 'import pip' >/dev/null 2>&1 || make_venv
    is_suitable_python "$VENV_PYTHON" || fail ".venv holds a Python older than 3.11; delete $VENV and run this again"
    if ! is_installed "$extra" && ! is_installed dev; then  # the dev extra includes the others
        announce "Installing seqmusic and its dependencies into .venv (some minutes the first time)"
        "$VENV_PYTHON" -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[$extra]" \
            || fail "the installation failed (see the message of pip above); fix the problem and run this again"
        installation_fingerprint >"$VENV/.installed-$extra"
    fi
}
