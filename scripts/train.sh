#!/usr/bin/env bash
# Trains a face recognition network from scratch with AdaFace, on one or several folders of identities.
#   scripts/train.sh REFERENCES VARIANTS                       both joined in all_data/train_1/imgs, by links
#   scripts/train.sh                                           what is in all_data/train_1 already
#   scripts/train.sh REFERENCES VARIANTS --gpus 2 --resume     other flags of train/adaface.py, key=value
# Folders hold <identity>/<photo>; an identity has the same name in all of them. Sets in all_data/validation are scored
# after each epoch (scripts/prep_data_validation.sh makes it).
set -euo pipefail
root="$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/.." && pwd)"

folders=()
while [[ $# -gt 0 && $1 != -* && ! $1 =~ ^[A-Za-z0-9_.]+= ]]; do
    folders+=("$1")
    shift
done
data_root="" train=all_data/train_1 before="" told=no asked=no
for word in "$@"; do
    case $before in
        --data_root) data_root=${word%/}/ ;;
        --train_data_path) train=$word ;;
    esac
    case $word in
        --val_data_path | verify.sets=*) told=yes ;;
        -h | --help) asked=yes ;;
    esac
    before=$word
done
validation=()
if [[ $told == no && -d ${data_root}all_data/validation ]]; then validation=(--val_data_path all_data/validation); fi

python="$("$root/scripts/environment.sh")"
export PYTHONPATH="$root${PYTHONPATH:+:$PYTHONPATH}"
if [[ ${#folders[@]} -gt 0 && $asked == no ]]; then
    if [[ $train == /* ]]; then data_root=""; fi
    "$python" "$root/scripts/compound_multiple_datasets.py" -l "${folders[@]}" -p "$data_root${train%/}/imgs"
fi
# Flags that are given again count: the last one is taken.
exec "$python" "$root/train/adaface.py" --train_data_path "$train" ${validation[@]+"${validation[@]}"} \
    --prefix ir50_1_adaface --output_dir models --gpus 1 --use_16bit --arch ir_50 \
    --batch_size 256 --num_workers 8 --epochs 30 --lr_milestones 12,20,26 --lr 0.1 --head adaface --m 0.4 --h 0.333 \
    --low_res_augmentation_prob 0.2 --crop_augmentation_prob 0.2 --photometric_augmentation_prob 0.2 "$@"
