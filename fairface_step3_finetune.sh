#!/usr/bin/env bash
# Fairness finetuning, step 3: all layers, the data of the most discriminated protected group. The group is computed
# from the fairness of step 2's model on validation data; fairness.group=sex=f sets it by hand.
set -euo pipefail
for word in "$@"; do
    if [[ $word == -h || $word == --help ]]; then sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}"; fi
done
exec "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/scripts/finetune.sh" train/configs/orl_fair.yaml 3 "$@"
