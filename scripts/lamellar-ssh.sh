#!/bin/sh
# Runs a Lamellar program on hosts that ssh reaches, with the permissions it needs and no others:
#
#   scripts/lamellar-ssh.sh n1:8,n2:8 app.ts args…
#   LAMELLAR_PES=32 scripts/lamellar-ssh.sh n1,n2,n3,n4 app.ts args…
#
# The first argument is a list of hosts, with the number of their PEs behind a colon unless
# LAMELLAR_PES gives the number of all. Each host has one process, or as many as
# LAMELLAR_PES_PER_PROCESS makes. The program and the library have to be at the same path on every
# host, or at a URL, and ssh has to reach the hosts without a password. What the program itself needs
# goes into LAMELLAR_FLAGS, such as "--allow-write=/scratch --allow-net".

set -eu

if [ $# -lt 2 ]; then
  echo "lamellar: Cannot run a job without hosts and a program: $0 host,… app.ts args…" >&2
  exit 2
fi

hosts=$1
program=$2
shift 2

home=${LAMELLAR_HOME:-$(cd "$(dirname "$0")/.." && pwd)}
ssh=${LAMELLAR_SSH:-ssh}

deno=${LAMELLAR_DENO:-deno}
flags=${LAMELLAR_FLAGS:-}
# These are for this script; the runtime does not know them.
unset LAMELLAR_HOME LAMELLAR_DENO LAMELLAR_FLAGS

# Both the launcher and the processes load the library and the program.
read=
import=
for place in "$home" "$program"; do
  case $place in
    http://* | https://*)
      host=${place#*://}
      import="$import${import:+,}${host%%/*}"
      ;;
    *)
      folder=$place
      [ -d "$place" ] || folder=$(dirname "$place")
      read="$read${read:+,}$(cd "$folder" && pwd)"
      ;;
  esac
done

# The launcher starts its agents, here and by ssh, passes LAMELLAR_… on, and runs nothing else. The
# flags behind its name are those of the processes.
# shellcheck disable=SC2086 # the flags are words
exec "$deno" run --quiet --no-prompt \
  "--allow-read=$(pwd)${read:+,$read}" \
  ${import:+"--allow-import=$import"} \
  "--allow-run=$deno,${ssh%% *}" \
  --allow-env \
  --allow-sys=hostname \
  "$home/scripts/launch.ts" \
  ${read:+"--allow-read=$read"} \
  ${import:+"--allow-import=$import"} \
  "--allow-write=${TMPDIR:-/tmp}" \
  '--allow-env=LAMELLAR_*,PMI_*,FI_*' \
  --allow-sys=hostname \
  --allow-ffi \
  $flags \
  --hosts "$hosts" "$program" "$@"
