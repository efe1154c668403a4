#!/usr/bin/env bash
# From two generated data sets to a scored model: prepares validation sets, joins references and variants, trains, scores.
#   scripts/prep_and_train.sh                                 the embedded people as references and variants: some minutes
#   scripts/prep_and_train.sh REFERENCES VARIANTS             your own folders: <identity>/<photo>, the same names in both
#   scripts/prep_and_train.sh REFERENCES VARIANTS --bins faces_emore --gpus 2 --resume
# --bins is the folder with lfw.bin, agedb_30.bin … (CASIA-Webface/mxnet unless told); flags of train/adaface.py and
# key=value may follow. Called again with --resume it goes on where it was stopped.
set -euo pipefail
root="$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/.." && pwd)"

folders=() flags=() bins=CASIA-Webface/mxnet output=models name=ir50_1_adaface before="" demo=no
for word in "$@"; do
    case $before in
        --bins) bins=$word && before="" && continue ;;
        --output_dir) output=$word ;;
        --prefix) name=$word ;;
    esac
    case $word in
        --demo) demo=yes ;;
        --bins) ;;
        -h | --help) exec "$root/scripts/train.sh" --help ;;
        *) if [[ ${#flags[@]} -eq 0 && $word != -* && ! $word =~ ^[A-Za-z0-9_.]+= ]]; then
               folders+=("$word")
           else
               flags+=("$word")
           fi ;;
    esac
    before=$word
done

if [[ $demo == yes || ${#folders[@]} -eq 0 ]]; then
    if [[ ${#folders[@]} -gt 0 ]]; then
        echo "error: --demo trains on the embedded people; leave it out to train on ${folders[0]}" >&2
        exit 2
    fi
    exec "$root/scripts/prep_and_train_demo.sh" ${flags[@]+"${flags[@]}"}
fi

if [[ -d $bins ]]; then
    "$root/scripts/prep_data_validation.sh" "$bins" all_data/validation
elif [[ ! -d all_data/validation ]]; then
    echo "$bins does not exist: no validation sets, so nothing is scored; name their folder with --bins" >&2
fi
"$root/scripts/train.sh" "${folders[@]}" ${flags[@]+"${flags[@]}"}
for word in ${flags[@]+"${flags[@]}"}; do
    if [[ $word == --dry-run ]]; then exit 0; fi
done
for set in lfw cfp_fp cplfw calfw agedb_30; do
    if [[ -e all_data/validation/$set.bin || -d all_data/validation/$set ]]; then
        exec "$root/scripts/eval_5valsets.sh" "$output/$name" all_data/validation
    fi
done
