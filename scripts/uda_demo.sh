#!/usr/bin/env bash
# UDA on the embedded data, from photographs to the score table: masks are drawn on copies of the training people's
# photographs, whose identities are then not told; both are packed as TFRecords with an index; a small region-split net is
# trained and scored on ten other people, without and with masks of styles that the training has not seen.
#   scripts/uda_demo.sh                       some minutes on two cores
#   scripts/uda_demo.sh uda.masked_weight=0   any setting of the training
set -euo pipefail
root="$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/.." && pwd)"
cd -- "$root"
made=all_data/uda
seen=surgical_blue,surgical_white,n95,kn95_valve,cloth,activated_carbon,black_pleated unseen=surgical_green,kn95,black

python="$(scripts/environment.sh -- "$@")"
export PYTHONPATH="$root${PYTHONPATH:+:$PYTHONPATH}"
"$python" data_process/prepare_orl.py >&2

rm -rf -- "${made:?}"
mkdir -p "$made/normal" "$made/index"
for person in {1..26}; do cp -R "datasets/orl/aligned/s$person" "$made/normal/"; done
"$python" data_process/add_masks.py "$made/normal" --output "$made/masked" --styles "$seen" --seed 0 >&2
for person in {1..26}; do
    for photo in "$made/normal/s$person"/*.png; do echo "$photo $person"; done
    for photo in "$made/masked/s$person"/*.png; do echo "$photo 0"; done
done > "$made/labels.txt"
cut -d' ' -f1 "$made/labels.txt" > "$made/images.txt"
"$python" data_process/img2tfrecord.py --img_list "$made/images.txt" --tfrecords_name "$made/tfrecords/orl+mask" >&2
"$python" data_process/convert_new_index.py --old "$made/labels.txt" --new "$made/index/orl+mask.index" \
    --tfr_index "$made/tfrecords/orl+mask/orl+mask.index" >&2
# Pairs of the ten test people: each two photographs of one, and every photograph with three of each other person.
{
    echo image_a,image_b,same
    for person in {31..40}; do
        for ((a = 1; a <= 10; a++)); do
            for ((b = a + 1; b <= 10; b++)); do echo "s$person/$a.png,s$person/$b.png,1"; done
            for ((other = person + 1; other <= 40; other++)); do
                for ((b = a; b < a + 3; b++)); do echo "s$person/$a.png,s$other/$(((b - 1) % 10 + 1)).png,0"; done
            done
        done
    done
} > "$made/test_pairs.csv"
"$python" data_process/mask_bin.py "$made/test_pairs.csv" --root datasets/orl/aligned --output "$made/test_masked.bin" \
    --styles "$unseen" --seed 1 >&2

exec "$python" train/uda.py train/configs/uda_orl.yaml --overwrite "$@"
