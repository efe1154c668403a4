#!/usr/bin/env bash
# What the finetuning scripts share: finetune.sh DEFAULT_CONFIG STEPS [CONFIG] [key=value …] [--resume] …
# Without a configuration, the default one is run again and again; any other run is replaced only with --overwrite.
set -euo pipefail
root="$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/.." && pwd)"
cd -- "$root"
default=$1 steps=$2
shift 2

config=$default
if [[ $# -gt 0 && $1 != -* && $1 != *=* ]]; then
    config=$1
    shift
fi
fresh=()
if [[ $config == "$default" ]]; then
    fresh=(--overwrite)
    for word in "$@"; do
        case $word in --resume) fresh=() ;; esac
    done
fi

python="$(scripts/environment.sh -- "$config" "$@")"
export PYTHONPATH="$root${PYTHONPATH:+:$PYTHONPATH}"
if [[ $config == "$default" ]]; then
    for word in "$@"; do
        case $word in -h | --help | --dry-run) exec "$python" train/finetune.py "$config" "$steps" "$@" ;; esac
    done
    "$python" data_process/prepare_orl.py >&2
    if [[ ! -f models/orl_demo/manifest.json ]]; then
        echo "error: models/orl_demo: the model to start from is not there yet; ./train.sh makes it" >&2
        exit 2
    fi
fi
exec "$python" train/finetune.py "$config" "$steps" "${fresh[@]}" "$@"
