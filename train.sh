#!/usr/bin/env bash
# Trains and scores a model. Creates the environment first if there is none.
#   ./train.sh                                        the embedded data set, end to end
#   ./train.sh optimizer.lr=0.05 --dry-run            the same with other settings; --dry-run only shows what it would do
#   ./train.sh train/configs/ms1m_r100.yaml data.path=/data/faces_emore gpus=0,1,2,3
#   ./train.sh CONFIG --resume                        continue a stopped run
# Paths are relative to this folder, wherever you call it from.
set -euo pipefail
root="$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")" && pwd)"
cd -- "$root"

demo=train/configs/orl_demo.yaml
# The demonstration may be run again and again; any other run is replaced only when --overwrite says so.
if [[ $# -eq 0 ]]; then set -- "$demo" --overwrite; fi
# The configuration is the first word that is neither an option nor a setting, wherever it stands.
config="" setting='^[A-Za-z0-9_.]+='
for word in "$@"; do
    if [[ -z $config && $word != -* && ! $word =~ $setting ]]; then config=$word; fi
done
if [[ -z $config ]]; then
    config=$demo
    set -- "$demo" "$@"
fi

python="$(scripts/environment.sh -- "$@")"
export PYTHONPATH="$root${PYTHONPATH:+:$PYTHONPATH}"

prepare=$([[ $config == "$demo" ]] && echo yes || echo no)
for word in "$@"; do
    case $word in -h | --help | --keys) prepare=no ;; esac
done
if [[ $prepare == yes ]]; then "$python" data_process/prepare_orl.py; fi
exec "$python" train/train.py "$@"
