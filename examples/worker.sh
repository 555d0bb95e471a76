#!/bin/bash
# A whole Longhaul worker on bash and curl. The work is a command of yours, which is run for one job at a time:
#
#   LONGHAUL_API_KEY=lh_... examples/worker.sh TYPE COMMAND [ARGUMENT...]
#
# It reads the job's input as JSON, and finds the checkpoint of an earlier attempt in $CHECKPOINT (JSON; null where there is none) and
# files of the input in the folder $FILES, by their references. What it prints is the output, as JSON; what it leaves in the folder
# $RESULTS become files of the job; what it writes to the file $SAVE, as JSON, is its checkpoint. It exits with 0 when it is done, with
# 75 where another attempt may help, and with anything else where none would. SIGTERM tells it, and all that it has started, to stop.
set -um # -m: what is started in the background can be stopped with all that it has started
: "${LONGHAUL_API_KEY:?Set it to a key with the scope WORK.}"
URL=${LONGHAUL_URL:-http://localhost:4000}/graphql
TYPE=${1:?Give a job type, and the command that does its work.}
shift
STOPPING='' WORK='' BEATS=''
FOLDER=$(mktemp -d)
trap 'rm -rf "$FOLDER"' EXIT
trap 'STOPPING=1; [ -z "$WORK" ] || kill -- "-$WORK"' TERM INT

# ask MUTATION INPUT [PAYLOAD]: asks until there is an answer, which is then $ANSWER. Fails where that is a refusal.
ask() {
  local asked=$FOLDER/$BASHPID pause=1 status after
  printf '{"query": "mutation ($input: %sInput!) { %s(input: $input) { ... on UserError { code message } %s __typename } }", "variables": {"input": %s}}' \
    "${1^}" "$1" "${3-}" "$2" >"$asked.body"
  while :; do
    status=$(curl -s -m 40 -o "$asked.answer" -D "$asked.headers" -w '%{http_code}' "$URL" --data-binary "@$asked.body" \
      -H "Authorization: Bearer $LONGHAUL_API_KEY" -H 'Content-Type: application/json')
    ANSWER=$(cat "$asked.answer" 2>&1)
    case $status$ANSWER in
      '200{"data":{"'$1'":{"code"'*) break ;;
      '200{"data":{"'$1'":{'*) return 0 ;;
      '200{"errors"'*'"INTERNAL"'* | '200{"errors"'*'"INSUFFICIENT_STORAGE"'*) ;;
      200* | 400* | 401* | 403* | 413*) break ;;
    esac
    after=$(sed -n 's/^[Rr]etry-[Aa]fter: *\([0-9]*\).*/\1/p' "$asked.headers" 2>/dev/null)
    echo "$1 was answered ${status:-nothing}, and is tried again" >&2
    [ -n "$STOPPING" ] && [ "$1" = claimJobs ] && return 1
    kill -0 $$ 2>/dev/null || exit 1 # the worker was killed, and left this behind
    sleep "$((pause > ${after:-0} ? pause : after)).$((RANDOM % 10))"
    pause=$((pause < 8 ? pause * 2 : 8))
  done
  echo "$1 was refused: ${ANSWER:0:500}" >&2
  [[ $ANSWER != *'"LEASE_LOST"'* ]] || touch "$FOLDER/lost" # nothing more is said about that job
  return 1
}

field() { sed -n "s/.*\"$1\":\"\{0,1\}\([^\",}]*\).*/\1/p" <<<"$2"; }
quoted() { sed 's/[\\"]/\\&/g; s/.*/"&"/' <<<"$1"; }
save() { [ ! -s "$FOLDER/save" ] || ask reportProgress "{\"token\": \"$TOKEN\", \"checkpoint\": $(cat "$FOLDER/save")}"; }

# Renews the lease until it is lost.
beat() {
  while sleep "$((SECONDS_OF_LEASE * 1000 / 3 / 1000)).$(printf %03d $((SECONDS_OF_LEASE * 1000 / 3 % 1000)))"; do
    kill -0 $$ 2>/dev/null || exit 1
    ask reportProgress "{\"token\": \"$TOKEN\"}" && continue
    [ -e "$FOLDER/lost" ] || continue
    kill -- "-$WORK"
    return
  done
}

# fetch URL SHA256 FILE: goes on after a cut, and begins anew where the file is another.
fetch() {
  local try
  for try in 1 2 3 4 5; do
    if curl -sfL -C - -o "$3" "$1"; then
      sha256sum --check --status <<<"$2  $3" && return
      rm -f "$3"
    fi
    sleep "$try"
  done
  return 1
}

# send FILE: as a result.
send() {
  local try=1 status url name bytes sha256
  name=$(quoted "${1##*/}") bytes=$(stat -c %s "$1") sha256=$(sha256sum <"$1")
  ask createUpload "{\"token\": \"$TOKEN\", \"filename\": $name, \"bytes\": $bytes, \"sha256\": \"${sha256%% *}\"}" \
    '... on CreateUploadPayload { uploadUrl upload { id } }' || return
  url=$(field uploadUrl "$ANSWER")
  echo "{\"uploadId\": \"$(field id "$ANSWER")\", \"name\": $name}" >>"$FOLDER/artifacts"
  until status=$(curl -s -T "$1" -o "$FOLDER/sent" -w '%{http_code}' "$url"); [ "$status" = 200 ]; do
    case $status in
      408 | 409 | 423 | 429) ;;
      4*)
        ! grep -q '"LEASE_LOST"' "$FOLDER/sent" || touch "$FOLDER/lost"
        return 1
        ;;
    esac
    sleep "$try"
    try=$((try < 8 ? try * 2 : 8))
  done
}

attempt() {
  local reference sha256 url result
  while IFS='"' read -r _ _ _ reference _ _ _ sha256 _ _ _ url _; do
    fetch "$url" "$sha256" "$FILES/${reference#upload:}" || return 75
  done < <(grep -o '"reference":"[^"]*","sha256":"[^"]*","url":"[^"]*"' <<<"$LEASE")
  "$@" <"$FOLDER/input" >"$FOLDER/output" || return
  for result in "$RESULTS"/*; do
    [ ! -f "$result" ] || send "$result" || return 75
  done
}

tell() {
  local output artifacts
  if [ "$1" = 0 ]; then
    output=$(cat "$FOLDER/output") artifacts=$(paste -sd, "$FOLDER/artifacts" 2>/dev/null)
    ask completeJob "{\"token\": \"$TOKEN\", \"output\": ${output:-null}, \"artifacts\": [$artifacts]}" && return
    [ ! -e "$FOLDER/lost" ] || return
    ask failJob "{\"token\": \"$TOKEN\", \"code\": \"OUTPUT_REFUSED\", \"message\": \"What the command printed was refused.\", \"retryable\": false}"
  elif [ -n "$STOPPING" ]; then
    save
    ask releaseJob "{\"token\": \"$TOKEN\"}"
  else
    save
    ask failJob "{\"token\": \"$TOKEN\", \"code\": \"EXIT_$1\", \"message\": \"The command exited with $1.\", \"retryable\": $([ "$1" = 75 ] && echo true || echo false)}"
  fi
}

while [ -z "$STOPPING" ]; do
  # Whatever the input and the checkpoint are, they hold no name that nobody knew: so they are found without reading JSON.
  MARK=mark_$RANDOM$RANDOM$RANDOM
  PAYLOAD="leases { token seconds files { reference sha256 url } } ${MARK}_in: leases { job { input } } ${MARK}_checkpoint: leases { checkpoint }"
  ask claimJobs "{\"types\": [$(quoted "$TYPE")], \"workerId\": \"$HOSTNAME-$$\", \"waitSeconds\": 5}" "... on ClaimJobsPayload { $PAYLOAD }" || {
    [ -n "$STOPPING" ] && break
    exit 1
  }
  LEASE=${ANSWER%%",\"${MARK}_in\""*} TOKEN=$(field token "${ANSWER%%",\"${MARK}_in\""*}")
  [ -n "$TOKEN" ] || continue
  # Told while the claim waited: what is not begun needs no stop, which it might not hear right after its start.
  [ -z "$STOPPING" ] || { ask releaseJob "{\"token\": \"$TOKEN\"}"; break; }
  SECONDS_OF_LEASE=$(field seconds "$LEASE") REST=${ANSWER#*"\"${MARK}_in\":[{\"job\":{\"input\":"}
  rm -rf "${FOLDER:?}"/*
  export FILES=$FOLDER/files RESULTS=$FOLDER/results SAVE=$FOLDER/save CHECKPOINT
  mkdir "$FILES" "$RESULTS"
  printf '%s' "${REST%%"}}],\"${MARK}_checkpoint\""*}" >"$FOLDER/input"
  CHECKPOINT=${REST#*"\"${MARK}_checkpoint\":[{\"checkpoint\":"}
  CHECKPOINT=${CHECKPOINT%'}],"__typename":"ClaimJobsPayload"}}}'}
  attempt "$@" &
  WORK=$!
  beat &
  BEATS=$!
  [ -z "$STOPPING" ] || kill -- "-$WORK" # told since
  # A signal ends the waiting, and not the work.
  until wait "$WORK"; CODE=$?; ! kill -0 "$WORK" 2>/dev/null; do :; done
  WORK=
  [ -e "$FOLDER/lost" ] || tell "$CODE"
  kill -- "-$BEATS" 2>/dev/null
  wait "$BEATS" 2>/dev/null
done
exit 0
