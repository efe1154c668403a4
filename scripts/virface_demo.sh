#!/usr/bin/env bash
# VirFace's four stages on the embedded data: 13 people with ten images each, and one image without a label of each of 13
# others. Prints one table: the net before, with VirClass, with VirFace, on ten people that none of them has seen.
#   scripts/virface_demo.sh                   under two minutes on two cores
#   scripts/virface_demo.sh seed=1 output=other   any setting, for all four stages
# With so few people it shows that everything works, not how much the method helps (docs/experiments/).
set -euo pipefail
root="$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/.." && pwd)"
cd -- "$root"

python="$(scripts/environment.sh -- "$@")"
export PYTHONPATH="$root${PYTHONPATH:+:$PYTHONPATH}"
output=models
for word in "$@"; do
    case $word in
        -h | --help) exec "$python" train/train.py --help ;;
        output=*) output=${word#output=} ;;
    esac
done
"$python" data_process/prepare_orl.py >&2
for stage in pretrain generator virclass virface; do
    "$python" train/train.py "train/configs/virface_$stage.yaml" --overwrite "$@" >&2
done
exec "$python" scripts/virface_table.py "$output"/virface_{pretrain,virclass,virface}
