#!/usr/bin/env bash
# The final evaluation: scores photographs and pairs, writes predictions.csv and a fairness and verification report.
#   ./do.sh                                           see below
#   ./do.sh --photos DIR --template pairs.csv --model RUN --hard-model RUN --output results/mine
#   ./do.sh … --truth truth.csv --attributes people.csv --protected sex skin   evaluate the scores too
#   ./do.sh … --stages before=RUN after_one=RUN       compare other models than the steps that made --model
#   ./do.sh … --no-rerank --no-cut --no-fuse          plain cosines; with these steps other pairs change scores
#   ./do.sh --help                                    all options
# Without arguments: the models of test/final_eval_models and the photographs and pairs of test/TestData/tmp_data, when
# both hold files (a README does not count); else the embedded data with the models of fairface_finetune.sh and
# hard_sample_finetune.sh, into results/orl_demo. Paths are relative to this folder, not to where you call it.
set -euo pipefail
root="$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")" && pwd)"
cd -- "$root"

models=test/final_eval_models data=test/TestData/tmp_data
# Links are followed and what is hidden does not count, as in the program itself.
holds_files() {
    [[ -n "$(find -L "$1" -mindepth 1 -name '.*' -prune -o -type f ! -name 'README.md' -print -quit 2>/dev/null)" ]]
}

if [[ $# -eq 0 ]]; then
    if holds_files "$models" && holds_files "$data"; then
        set -- --models-from "$models" --data-from "$data" --output results/final_eval
    else
        if holds_files "$models" || holds_files "$data"; then
            echo "only one of $models and $data holds files: the embedded data are used" >&2
        fi
        set -- --demo
    fi
fi

python="$(scripts/environment.sh -- "$@")"
export PYTHONPATH="$root${PYTHONPATH:+:$PYTHONPATH}"
exec "$python" test/final_eval.py "$@"
