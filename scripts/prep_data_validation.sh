#!/usr/bin/env bash
# Makes memory files of the usual verification sets, for scoring while a model trains.
#   scripts/prep_data_validation.sh                          from CASIA-Webface/mxnet/*.bin to all_data/validation
#   scripts/prep_data_validation.sh /data/faces_emore mine   from another folder, to another one
# Missing sets are reported and skipped. A second run makes only missing or incomplete files.
set -euo pipefail
root="$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/.." && pwd)"
source="${1:-CASIA-Webface/mxnet}"
target="${2:-all_data/validation}"

if [[ ! -d $source ]]; then
    echo "error: $source: there is no such folder; name the folder with the .bin files" >&2
    exit 2
fi
python="$("$root/scripts/environment.sh")"
export PYTHONPATH="$root${PYTHONPATH:+:$PYTHONPATH}"
mkdir -p -- "$target"

for set in agedb_30 calfw cfp_ff cfp_fp cplfw lfw; do
    if [[ -f $source/$set.bin ]]; then
        # An absolute link: a relative one would be read from where it lies, not from here.
        ln -sfn -- "$(readlink -f -- "$source/$set.bin")" "$target/$set.bin"
    else
        echo "$source/$set.bin does not exist and is skipped" >&2
    fi
done
exec "$python" "$root/data_process/convert.py" --rec_path "$target" --make_validation_memfiles
