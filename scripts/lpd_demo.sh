#!/usr/bin/env bash
# Masked faces on the embedded data, from photographs to retrieval scores: a small net trained with drawn masks (MG, mask
# generation only) and Latent Part Detection (LPD) with the same masks, each on 26 people; then ten other people, five of
# whose photographs get masks of styles that the training has not seen and search the other five, and the other way round.
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
for person in {31..40}; do
    mkdir -p "$made/unmasked/s$person" "$made/test/gallery/s$person"
    for number in {1..10}; do
        into=test/gallery
        if ((number % 2 == 0)); then into=unmasked; fi
        cp "datasets/orl/aligned/s$person/$number.png" "$made/$into/s$person/"
    done
done
"$python" data_process/add_masks.py "$made/unmasked" --output "$made/test/query" --styles "$unseen" --seed 1 >&2

masks=(augment.mask=0.5 "augment.mask_styles=$seen")
"$python" train/train.py train/configs/mg_orl.yaml --overwrite name=mg_masks "${masks[@]}" "$@" >&2
"$python" train/train.py train/configs/lpd_orl.yaml --overwrite name=lpd_masks lpd.nose_height=column "${masks[@]}" "$@" >&2
for run in mg_masks lpd_masks; do
    echo "$run"
    "$python" test/retrieval.py --model "$output/$run" --data "$made/test" --both-directions --no-flip
done
