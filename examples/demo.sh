#!/bin/sh
# The main job, on the embedded desk, in a folder of its own: nothing leaves this machine.
# Usage: sh examples/demo.sh [folder]
set -eu
cd "$(dirname "$0")/.."
PATH="$(cd "${VENV:-.venv}" && pwd)/bin:$PATH"
home=$(mkdir -p "${1:-demo}" && cd "${1:-demo}" && pwd)
if [ -e "$home/cases.sqlite" ]; then  # an earlier demo: begin anew
  rm -rf "$home/cases.sqlite"* "$home/desk.sqlite"* "$home/mail" "$home/files" "$home/locks"
elif [ -n "$(ls -A "$home")" ]; then
  echo "$home is not empty: name a folder of its own for the demo" >&2
  exit 2
fi
env -i HOME="$HOME" PATH="$PATH" TERM="${TERM:-dumb}" LANG="${LANG:-C.UTF-8}" \
  ${COLUMNS:+COLUMNS="$COLUMNS"} ${NO_COLOR:+NO_COLOR="$NO_COLOR"} FIGSUPPORT_HOME="$home" sh -eu <<'DEMO'
say() { printf '\n$ %s\n' "$*"; }
say 'figsupport intake examples/request.json'
figsupport intake --no-json examples/request.json
say 'figsupport reply 1001 "Je valide"'
figsupport reply --no-json 1001 "Je valide"
say 'figsupport poll'
figsupport poll --no-json
say 'figsupport tickets 1001'
figsupport tickets --no-json 1001
DEMO
printf '\nEverything is in %s: letters in mail/outbox, files in files.\n' "$home"
printf 'Go on with:  export FIGSUPPORT_HOME=%s\n' "$home"
