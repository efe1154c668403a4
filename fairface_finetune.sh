#!/usr/bin/env bash
# Fairness finetuning, step 1: all layers but the classifier are frozen. `all` runs the three steps.
#   ./fairface_finetune.sh all                        the embedded data set, from the model that ./train.sh made
#   ./fairface_finetune.sh all train/configs/fairface_r100.yaml data.path=/data/fairface gpus=0,1,2,3
#   ./fairface_finetune.sh train/configs/fairface_r100.yaml --start-from ms1m_r100@120000
# step2.optimizer.lr=0.001 sets a key of one step, optimizer.lr=0.001 of all steps. --resume continues after Ctrl-C.
set -euo pipefail
for word in "$@"; do
    if [[ $word == -h || $word == --help ]]; then sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}"; fi
done
steps=1 words=()
for word in "$@"; do
    if [[ $word == all ]]; then steps=all; else words+=("$word"); fi
done
set -- ${words[@]+"${words[@]}"}
exec "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/scripts/finetune.sh" train/configs/orl_fair.yaml "$steps" "$@"
