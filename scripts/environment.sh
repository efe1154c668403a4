#!/usr/bin/env bash
# Prints the path of a Python that has everything this project needs; creates .venv first if there is none.
#   python="$(scripts/environment.sh)"            to train and score
#   python="$(scripts/environment.sh --need dev)" to test and lint too
set -euo pipefail
root="$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/.." && pwd)"

fits() { "$1" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 12))' >/dev/null 2>&1; }

for candidate in ${VIRTUAL_ENV:+"$VIRTUAL_ENV/bin/python"} ${CONDA_PREFIX:+"$CONDA_PREFIX/bin/python"} \
    ${PYTHON:+"$PYTHON"} python3 python3.12 python3.11 python3.10 python; do
    if fits "$candidate"; then
        cd -- "$root"
        PYTHONPATH="$root${PYTHONPATH:+:$PYTHONPATH}" exec "$candidate" -m fairface.environment "$@"
    fi
done
seen="$(python3 --version 2>&1)" || seen="no python3 at all"
echo "error: no Python 3.10, 3.11 or 3.12 found ($seen); install one (Debian, Ubuntu: apt-get install python3" \
    "python3-venv) or name one: PYTHON=/path/to/python3.11" >&2
exit 2
