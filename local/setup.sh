#!/bin/sh
# Makes the Python environments: `sh local/setup.sh dev stack embedding` -> .venv, .venv-stack and .venv-embedding.
# uv comes from PyPI into an environment of its own; what the lock file already gave is left alone.
set -eu
cd "$(dirname "$0")/.."
uv_version=0.13.8
uv=.venv-tools/bin/uv

# A name on the PATH may be a version manager's stub, so every candidate has to prove itself.
find_python() {
    for candidate in ${PYTHON:-} python3.12 python3.13 python3.11 python3 python; do
        if "$candidate" -c 'import sys, ensurepip, venv; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    echo "Python 3.11, 3.12 or 3.13 with venv and pip is needed (Debian: apt install python3 python3-venv); PYTHON=<path> names one." >&2
    exit 1
}

install_uv() {
    if [ "$("$uv" --version 2>/dev/null | cut -d' ' -f2)" = "$uv_version" ]; then return; fi
    python=$(find_python)
    echo "setup: uv $uv_version from PyPI, with $("$python" --version)"
    "$python" -m venv --clear .venv-tools
    .venv-tools/bin/python -m pip install -qq --disable-pip-version-check "uv==$uv_version"
}

# The interpreter of .venv-tools makes all environments, so that the local functions run the Python their zip was built for.
sync_group() {
    folder=.venv-$1
    if [ "$1" = dev ]; then folder=.venv; fi
    wanted="$(cksum <uv.lock) $(cksum <pyproject.toml)"
    if [ -x "$folder/bin/python" ] && [ "$(cat "$folder/.synced" 2>/dev/null)" = "$wanted" ]; then return; fi
    echo "setup: $folder from uv.lock"
    UV_PROJECT_ENVIRONMENT=$folder UV_PYTHON_DOWNLOADS=never UV_PYTHON=.venv-tools/bin/python \
        "$uv" sync --quiet --frozen --no-default-groups --group "$1"
    echo "$wanted" >"$folder/.synced"
}

install_uv
for group in "$@"; do sync_group "$group"; done
