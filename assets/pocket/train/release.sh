#!/bin/sh
# Makes the file that ships of a trained run:  sh release.sh RUN [BAGEL]
#
# WEIGHTS=model takes the last weights in place of the averaged ones: for a run that changed its ways near its end.
# BAGEL is the project's own program. Afterwards the score and the pictures in ../README.md are to be made anew.
set -eu
cd "$(dirname "$0")"
run=$1
bagel=${2:-../../../target/debug/bagel}
file=../pocket-q8_0.gguf
# The folder gives the model its name.
"${PYTHON:-python3}" export.py --out "$run" --to "$run/Pocket" --weights "${WEIGHTS:-average}"
"$bagel" convert --quant q8_0 --force "$run/Pocket" "$file"
bytes=$(wc -c < "$file" | tr -d ' ')
sha256=$(sha256sum "$file" | cut -d ' ' -f 1)
sed -i "/id = \"pocket\"/,/^id/ { s/^bytes = .*/bytes = $bytes/; s/^sha256 = .*/sha256 = \"$sha256\"/ }" ../../../models.toml
grep -A 4 'path = "pocket' ../../../models.toml
