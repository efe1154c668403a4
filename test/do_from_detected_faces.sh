#!/usr/bin/env bash
# The final evaluation from faces that are aligned already: do.sh without detection.
#   test/do_from_detected_faces.sh FOLDER --template pairs.csv --model RUN --hard-model RUN --output results/mine
#   test/do_from_detected_faces.sh                    with the faces of test/TestData/tmp_data and the models of
#                                                     test/final_eval_models
# failures.txt in the folder (data_process/align.py --rescue writes it) tells on which images detection failed.
# Paths are relative to the project's folder, wherever you call it from.
set -euo pipefail
root="$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/.." && pwd)"

case ${1-} in
    "") exec "$root/do.sh" --models-from test/final_eval_models --data-from test/TestData/tmp_data --data-aligned ;;
    -*) exec "$root/do.sh" "$@" ;;
    *) exec "$root/do.sh" --aligned "$@" ;;
esac
