#!/usr/bin/env bash
# Fairness finetuning, step 2: all layers, from what step 1 made or from --start-from MODEL. Options as in
# fairface_finetune.sh.
set -euo pipefail
exec "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/scripts/finetune.sh" train/configs/orl_fair.yaml 2 "$@"
