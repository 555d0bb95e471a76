#!/bin/bash
# The job of the conformance kit, as a command of examples/worker.sh. Its inputs are flat, so that sed can read them.
set -eu
INPUT=$(cat)
value() { sed -n "s/.*\"$1\":\"\{0,1\}\([^\",}]*\).*/\1/p" <<<"$INPUT"; }
SHA256=null
SOURCE=$(value sourceUrl)
if [ -n "$SOURCE" ]; then
  SHA256=$(sha256sum <"$FILES/${SOURCE#upload:}")
  SHA256="\"${SHA256%% *}\""
  [ "$(value save)" != true ] || cp "$FILES/${SOURCE#upload:}" "$RESULTS/copy"
fi
sleep "$(value seconds | grep . || echo 0)"
[ "$(value fail)" != fatal ] || exit 1
if [ -n "$(value checkpoint)" ] && [ "$CHECKPOINT" = null ]; then
  echo "\"$(value checkpoint)\"" >"$SAVE"
  exit 75
fi
echo "{\"name\": \"$(value name)\", \"checkpoint\": $CHECKPOINT, \"sha256\": $SHA256}"
