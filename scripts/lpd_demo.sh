#!/usr/bin/env bash
# Masked faces on the embedded data, from photographs to retrieval scores: a small net trained with drawn masks (MG, mask
# generation only) and Latent Part Detection (LPD) with the same masks, each on 26 people; then ten other people, masks of
# styles that the training has not seen: every masked photograph searches the unmasked ones, and the other way round.
#   scripts/lpd_demo.sh                           some minutes on two cores
#   scripts/lpd_demo.sh epochs=2 output=other     any setting, for both
set -euo pipefail
root="$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/.." && pwd)"
cd -- "$root"
made=all_data/lpd
seen='[surgical_blue,surgical_white,n95,kn95_valve,cloth,activated_carbon,black_pleated]'
unseen=surgical_green,kn95,black

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
rm -rf -- "${made:?}"
mkdir -p "$made/test"
for person in {31..40}; do cp -R "datasets/orl/aligned/s$person" "$made/test/"; done
"$python" data_process/add_masks.py "$made/test" --styles "$unseen" --seed 1 >&2

masks=(augment.mask=0.5 "augment.mask_styles=$seen")
"$python" train/train.py train/configs/mg_orl.yaml --overwrite name=mg_masks "${masks[@]}" "$@" >&2
"$python" train/train.py train/configs/lpd_orl.yaml --overwrite name=lpd_masks lpd.nose_height=column "${masks[@]}" "$@" >&2
for run in mg_masks lpd_masks; do
    echo "$run"
    "$python" test/retrieval.py --model "$output/$run" --data "$made/test" --masked names --both-directions --no-flip
done
