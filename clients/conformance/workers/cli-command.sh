#!/bin/bash
# The job of the conformance kit, as a command of `longhaul worker run`. Its inputs are flat, so that sed can read them.
set -eu
INPUT=$(cat)
value() { sed -n "s/.*\"$1\":\"\{0,1\}\([^\",}]*\).*/\1/p" <<<"$INPUT"; }
SHA256=null
SOURCE=$(value sourceUrl)
if [ -n "$SOURCE" ]; then
  SHA256=$(sha256sum <"$SOURCE")
  SHA256="\"${SHA256%% *}\""
  [ "$(value save)" != true ] || cp "$SOURCE" "$LONGHAUL_OUTPUT/copy"
fi
sleep "$(value seconds | grep . || echo 0)"
[ "$(value fail)" != fatal ] || exit 1
if [ -n "$(value checkpoint)" ] && [ -z "$LONGHAUL_CHECKPOINT" ]; then
  echo "::checkpoint \"$(value checkpoint)\""
  [ -z "$(value retryAfterSeconds)" ] || echo "::retry-after $(value retryAfterSeconds)"
  exit 75
fi
echo "{\"name\": \"$(value name)\", \"checkpoint\": ${LONGHAUL_CHECKPOINT:-null}, \"sha256\": $SHA256}"
