#!/bin/sh
# Trains everything in one go, or goes on where the last call stopped:  sh train.sh RUN SECONDS
#
# RUN is a folder that is kept between calls. The call ends after SECONDS at the latest; the whole
# budget is VAE_MINUTES + VIT_MINUTES + MODEL_MINUTES.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
run=$1
limit=$2
started=$(date +%s)
python=${PYTHON:-python3}
vae_minutes=${VAE_MINUTES:-5}
model_minutes=${MODEL_MINUTES:-19}
mkdir -p "$run"
seconds_left() { echo "$(( (limit - $(date +%s) + started - ${1}) ))"; }
spent() { "$python" -c "import torch,sys; print(torch.load(sys.argv[1], map_location='cpu', weights_only=False)['spent'] / 60)" "$1" 2>/dev/null || echo 0; }
until_minute() { "$python" -c "import sys; print(min(float(sys.argv[1]) + int(sys.argv[2]) / 60, float(sys.argv[3])))" "$1" "$2" "$3"; }
is_less() { "$python" -c "import sys; sys.exit(float(sys.argv[1]) + 0.02 >= float(sys.argv[2]))" "$1" "$2"; }
cd "$here"
[ -f "$run/tokenizer.json" ] || "$python" tokenizer.py --out "$run"
done_vae=$(spent "$run/vae.pt")
if is_less "$done_vae" "$vae_minutes"; then
    stop=$(until_minute "$done_vae" "$(seconds_left 60)" "$vae_minutes")
    "$python" train_vae.py --out "$run" --minutes "$vae_minutes" --stop "$stop" --batch 128
fi
# It cannot be resumed, and needs but a minute.
if [ ! -f "$run/vit.pt" ] && [ "$(seconds_left 90)" -gt 120 ]; then
    "$python" train_vit.py --out "$run" --minutes "${VIT_MINUTES:-1}"
fi
done_model=$(spent "$run/light.pt")
if [ -f "$run/vit.pt" ] && [ "$(seconds_left 90)" -gt 60 ] && is_less "$done_model" "$model_minutes"; then
    stop=$(until_minute "$done_model" "$(seconds_left 75)" "$model_minutes")
    "$python" train.py --out "$run" --minutes "$model_minutes" --stop "$stop"
fi
if [ -f "$run/light.pt" ]; then
    timeout "$(seconds_left 20)" "$python" sample.py --out "$run" --n 32 --kinds create think_create edit combine ask || true
fi
