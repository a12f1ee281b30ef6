#!/bin/sh
# Trains the small preset on a processor for as long as it is left running:  sh background.sh RUN EXPORT
#
# Stop it at any time and start it again with the same command; minutes are the processor's own.
# Every round ends with a fresh export, so that EXPORT always holds the best model so far.
set -eu
cd "$(dirname "$0")"
run=$1
export=$2
python=${PYTHON:-python3}
export OMP_NUM_THREADS=1
vae_minutes=${VAE_MINUTES:-24}
model_minutes=${MODEL_MINUTES:-480}
mkdir -p "$run"
[ -f "$run/tokenizer.json" ] || "$python" tokenizer.py --out "$run"
vae() { "$python" train_vae.py --out "$run" --preset small --minutes "$vae_minutes" --workers 0 "$@"; }
# Once a model knows the latents, they stay as they are.
if [ ! -f "$run/model.pt" ]; then
    vae --stop $((vae_minutes / 3)) --crop 32 --batch 16
    vae --stop $((vae_minutes * 2 / 3)) --crop 64 --batch 6
    vae --batch 4
fi
[ -f "$run/vit.pt" ] || "$python" train_vit.py --out "$run" --preset small --minutes 10 --workers 0 --batch 64
round=1
while [ $((round * 10)) -le "$model_minutes" ]; do
    "$python" train.py --out "$run" --preset small --minutes "$model_minutes" --stop $((round * 10)) \
        --rows 20 --shift 3 --rate 3e-3 --workers 0 --reuse 7 --pool 500 --report 25 --compile
    "$python" export.py --out "$run" --to "$export"
    # Sharper pictures from the same latents, a little after every third round.
    if [ $((round % 3)) -eq 0 ]; then
        vae_minutes=$((vae_minutes + 6))
        vae --decoder-only --crop 96 --batch 4
    fi
    round=$((round + 1))
done
