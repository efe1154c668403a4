#!/usr/bin/env bash
# Trains UDA, with unlabeled masked faces.
#   ./local_train.sh                                 the data that train/configs/uda.yaml names; while its DATA_ROOT is
#                                                    empty, the embedded data set, end to end in some minutes
#   ./local_train.sh CONFIG [KEY=value …] [options]  another configuration, other keys; --resume, --dry-run
#   ./local_train.sh DATA_ROOT=… INDEX_ROOT=…        train/configs/uda.yaml with these keys
set -euo pipefail
root="$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")" && pwd)"
config="$root/train/configs/uda.yaml"

if [[ $# -eq 0 ]] && grep -Eq '^DATA_ROOT: *("" *)?(#.*)?$' "$config"; then
    echo "DATA_ROOT in train/configs/uda.yaml is empty: training on the embedded data set" >&2
    exec "$root/scripts/uda_demo.sh"
fi
python="$("$root/scripts/environment.sh" -- "$@")"
export PYTHONPATH="$root${PYTHONPATH:+:$PYTHONPATH}"
for word in "$@"; do
    case $word in
        -h | --help) exec "$python" "$root/train/uda.py" --help ;;
        *.yaml | *.yml) exec "$python" "$root/train/uda.py" "$@" ;;
    esac
done
exec "$python" "$root/train/uda.py" "$config" "$@"
