#!/usr/bin/env bash
# Makes the shipped adapter again, from the base model and ../shared/data/train: three runs, each of which goes on
# where it was if it is interrupted. Fewer ROWS, STEPS, TABLE_ROWS and READ_STEPS make a short run of the same kind.
#
#   bash models/recipe.sh FILE.safetensors
set -euo pipefail
cd "$(dirname "$0")/.."
out=${1:?name the file that the adapter is to be written to}
# Asked now, not after hours.
[ ! -e "$out" ] || { echo "$out is there already; remove it, or name another" >&2; exit 2; }
fore=${FORE:-fore} name=${NAME:-o1}
rows=${ROWS:-1000} steps=${STEPS:-420} table_rows=${TABLE_ROWS:-12000} read_steps=${READ_STEPS:-250}
runs=${XDG_DATA_HOME:-$HOME/.local/share}/forethought/runs
"$fore" model pull --teacher
source=(--base "${XDG_CACHE_HOME:-$HOME/.cache}/forethought/models/smollm2-135m-instruct-q8_0.gguf"
  --data ../shared/data/train --no-promote)
vectors=("${source[@]}" --read-steps 0 --kept-tokens 16000 --align 50 --distill 1 --distill-temperature 0.03
  --negatives 0 --grounded 1 --gate dense --judged 64)

# A run that is not promoted ends with status 1.
train() { "$fore" train "$@" || [ $? -eq 1 ]; }

# The model learns to think and to embed; then its table of token vectors learns words, from more rows; then
# the layers above the vectors' learn to read.
train "${vectors[@]}" --rows "$rows" --sources extract --thoughtful 800 --mined 3 --epochs 4 --steps "$steps" --batch 32 \
  --passage-tokens 160 --rate 1e-3 --look-every 70 --held-out 0.04 --name "$name"
train "${vectors[@]}" --rows "$table_rows" --adapter "$runs/$name/adapter.safetensors" --steps 0 --token-table 256 \
  --passage-tokens 256 --sources none --mined 0 --held-out 0.02 --name "$name-table"
train "${source[@]}" --rows 250 --adapter "$runs/$name-table/adapter.safetensors" --steps 0 --sources extract --thoughtful 300 \
  --mined 3 --held-out 0.02 --read-steps "$read_steps" --gate hybrid+read --judged 24 --name "$name-read"
"$fore" model export "$out" --run "$name-read"
