#!/usr/bin/env bash
# The whole way of prep_and_train.sh on the embedded data set: a photograph of each training person is the reference, the
# others are the variants; a small net, scored on ten other people.
#   scripts/prep_and_train_demo.sh [flags of train/adaface.py] [key=value …]
set -euo pipefail
root="$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/.." && pwd)"
cd -- "$root"
made=all_data/orl images=images_arcface_112x112

# The demonstration may be run again and again; with flags of one's own a run is replaced only when --overwrite says so.
if [[ $# -eq 0 ]]; then set -- --overwrite; fi
python="$(scripts/environment.sh)"
export PYTHONPATH="$root${PYTHONPATH:+:$PYTHONPATH}"
"$python" data_process/prepare_orl.py --generated "$made"
exec scripts/train.sh "$made/references/$images" "$made/variants/$images" --train_data_path "$made/train" \
    --prefix adaface_demo --arch fresnet_tiny --batch_size 64 --epochs 40 --lr_milestones 20,30,36 --s 32 --seed 0 \
    backbone.embedding=256 data.in_memory=true verify.sets='[datasets/orl/validation]' verify.every=0.25 \
    verify.monitor=auc verify.fmr='[0.01]' test.sets='[datasets/orl/test]' test.baseline=eigenfaces \
    test.fmr='[0.1,0.01,0.001]' test.checkpoint=last "$@"
