#!/usr/bin/env bash
# Trains Latent Part Detection on "dataset/train dataset" (one folder per person) with the published settings.
#   scripts/run_train.sh                     the first GPU, or the CPU where there is none
#   scripts/run_train.sh 1                   GPU 1
#   scripts/run_train.sh 1 --resume          other flags of train/lpd.py, key=value
set -euo pipefail
root="$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/.." && pwd)"

device=()
if [[ $# -gt 0 && ($1 =~ ^[0-9]+$ || $1 == cpu) ]]; then
    device=(--device_id "$1")
    shift
fi
python="$("$root/scripts/environment.sh")"
export PYTHONPATH="$root${PYTHONPATH:+:$PYTHONPATH}"
exec "$python" "$root/train/lpd.py" ${device[@]+"${device[@]}"} "$@"
