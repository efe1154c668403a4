#!/usr/bin/env bash
# What the finetuning scripts share: finetune.sh DEFAULT_CONFIG STEPS [CONFIG] [key=value …] [--resume] …
# Called with nothing further, the default configuration is run again and again; any other run is replaced only with
# --overwrite.
set -euo pipefail
root="$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/.." && pwd)"
cd -- "$root"
default=$1 steps=$2
shift 2

fresh=()
if [[ $# -eq 0 ]]; then fresh=(--overwrite); fi
# The configuration is the first word that is neither an option (or --start-from's model) nor a setting.
config="" before="" others=() setting='^[A-Za-z0-9_.]+='
for word in "$@"; do
    if [[ -z $config && $before != --start-from && $word != -* && ! $word =~ $setting ]]; then
        config=$word
    else
        others+=("$word")
    fi
    before=$word
done
config=${config:-$default}
set -- ${others[@]+"${others[@]}"}

python="$(scripts/environment.sh -- "$config" "$@")"
export PYTHONPATH="$root${PYTHONPATH:+:$PYTHONPATH}"
if [[ $config == "$default" ]]; then
    own_start=no
    for word in "$@"; do
        case $word in
            -h | --help | --dry-run) exec "$python" train/finetune.py "$config" "$steps" "$@" ;;
            --start-from* | start_from=* | step1.start_from=* | output=*) own_start=yes ;;
        esac
    done
    "$python" data_process/prepare_orl.py >&2
    if [[ $own_start == no && ($steps == 1 || $steps == all) && ! -f models/orl_demo/manifest.json ]]; then
        echo "error: models/orl_demo: the start model does not exist yet; create it with ./train.sh" >&2
        exit 2
    fi
fi
exec "$python" train/finetune.py "$config" "$steps" "${fresh[@]}" "$@"
