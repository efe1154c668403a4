#!/usr/bin/env bash
# Makes <output>/imgs/<person>/<photo> out of a folder of people (such as DCFace's) or a folder with train.rec, by links.
#   scripts/prep_data_train_folder.sh dcface/imgs                     to all_data/train
#   scripts/prep_data_train_folder.sh faces_emore all_data/emore     train.rec is unpacked to faces_emore/imgs first
# It prints the number of identities. A second run makes only missing files.
set -euo pipefail
root="$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/.." && pwd)"
source="${1:?name the folder of people: <folder>/<person>/<photo>}"
target="${2:-all_data/train}"

if [[ ! -d $source ]]; then
    echo "error: $source: there is no such folder; name a folder of people" >&2
    exit 2
fi
python="$("$root/scripts/environment.sh")"
export PYTHONPATH="$root${PYTHONPATH:+:$PYTHONPATH}"

if compgen -G "$source/*.rec" > /dev/null; then
    "$python" "$root/data_process/convert.py" --rec_path "$source" --make_image_files
fi
"$python" "$root/scripts/compound_multiple_datasets.py" -l "$source" -p "$target/imgs"
exec "$python" "$root/data_process/inspect_data.py" "$target" --quick
