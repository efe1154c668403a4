#!/usr/bin/env bash
# Fairness finetuning, step 2: all layers, from the model of step 1 or from --start-from MODEL. Options as in
# fairface_finetune.sh.
set -euo pipefail
for word in "$@"; do
    if [[ $word == -h || $word == --help ]]; then sed -n '2,/^set /{/^set /!s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}"; fi
done
exec "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/scripts/finetune.sh" train/configs/orl_fair.yaml 2 "$@"
