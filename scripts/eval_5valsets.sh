#!/usr/bin/env bash
# Scores a model on LFW, CFP-FP, CPLFW, CALFW and AgeDB-30: those that the folder holds, as .bin or memory files.
#   scripts/eval_5valsets.sh                                      pretrained/adaface_ir50.ckpt on all_data/validation
#   scripts/eval_5valsets.sh models/ir50_1_adaface                another model
#   scripts/eval_5valsets.sh models/r100,0 /data/faces_emore --json
# Options of test/five_sets.py may follow.
set -euo pipefail
root="$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/.." && pwd)"

named=(pretrained/adaface_ir50.ckpt all_data/validation)
for place in 0 1; do
    if [[ $# -gt 0 && $1 != -* ]]; then
        named[place]=$1
        shift
    fi
done
python="$("$root/scripts/environment.sh")"
export PYTHONPATH="$root${PYTHONPATH:+:$PYTHONPATH}"
exec "$python" "$root/test/five_sets.py" "${named[1]}" --model "${named[0]}" "$@"
