#!/usr/bin/env bash
# The hard-sample model: the pretrained, not finetuned, model trained in two steps on the identities with a
# photograph that the finetuned classifier gets wrong.
#   ./hard_sample_finetune.sh                         the embedded data set
#   ./hard_sample_finetune.sh train/configs/fairface_hard_r100.yaml data.path=/data/fairface gpus=0,1,2,3
set -euo pipefail
for word in "$@"; do
    if [[ $word == -h || $word == --help ]]; then sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}"; fi
done
exec "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/scripts/finetune.sh" train/configs/orl_hard.yaml all "$@"
