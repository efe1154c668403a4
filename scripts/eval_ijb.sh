#!/usr/bin/env bash
# Scores IJB-B or IJB-C, 1:1 and 1:N, with the flags of AdaFace's and face_synthetics' programs.
#   scripts/eval_ijb.sh --dataset_name IJBC --data_root /data/ijb --ckpt_path adaface_ir50_ms1mv2.ckpt --arch ir_50 \
#       --fusion_method pre_norm_vector_add --use_flip_test True --gpu 0 --batch_size 128 --output_dir experiments
# Results are printed, and written to <output_dir>/<dataset>/<arch>; --help lists everything.
set -euo pipefail
root="$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/.." && pwd)"
python="$("$root/scripts/environment.sh")"
export PYTHONPATH="$root${PYTHONPATH:+:$PYTHONPATH}"
exec "$python" "$root/test/ijb.py" --output_dir results "$@"
