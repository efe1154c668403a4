#!/usr/bin/env bash
# Scores models/lpd on "dataset/test dataset": mAP and rank 1, 5, 10, masked faces as queries, and the other way round.
#   scripts/run_eval.sh                              the first GPU, or the CPU where there is none
#   scripts/run_eval.sh 1                            GPU 1
#   scripts/run_eval.sh cpu --model models/lpd@26440 other flags of test/retrieval.py; --masked list.csv tells which
#                                                    images are masked, otherwise their names do
set -euo pipefail
root="$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/.." && pwd)"

device=()
if [[ $# -gt 0 && $1 == cpu ]]; then
    device=(--devices cpu0)
    shift
elif [[ $# -gt 0 && $1 =~ ^[0-9]+$ ]]; then
    device=(--devices "gpu$1")
    shift
fi
python="$("$root/scripts/environment.sh")"
export PYTHONPATH="$root${PYTHONPATH:+:$PYTHONPATH}"
# Flags that are given again count: the last one is taken.
exec "$python" "$root/test/retrieval.py" --model models/lpd --data "dataset/test dataset" --masked names \
    --both-directions --no-flip --resize ${device[@]+"${device[@]}"} "$@"
