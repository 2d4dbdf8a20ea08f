#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Usage: entrypoint.sh master | worker [URL] | history | health | COMMAND …
#
# The first three become process 1 by exec, so that signals reach the daemon itself. Options behind the role go to it.
# NBASPARK_INSECURE=1 lets master and workers listen on the container's network without a secret; leave it unset and set
# SPARK_AUTHENTICATE_SECRET (see docs/security.md) wherever others can reach that network.
set -euo pipefail

role=${1:-master}
[ $# -gt 0 ] && shift
open=()
[ "${NBASPARK_INSECURE:-}" = 1 ] && open=(--insecure)
events=${SPARK_HISTORY_DIR:-/opt/spark/spark-events}

# 200 from the page of whichever daemon this container runs: a worker listens on its own address only.
health() {
  local line host port
  for host in 127.0.0.1 "${SPARK_WORKER_HOST:-$(hostname -i | cut -d' ' -f1)}"; do
    for port in "${SPARK_MASTER_WEBUI_PORT:-8080}" "${SPARK_WORKER_WEBUI_PORT:-8081}" "${SPARK_HISTORY_PORT:-18080}"; do
      { exec 3<>"/dev/tcp/$host/$port"; } 2>/dev/null || continue
      printf 'GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&3
      read -r -t 2 line <&3 || continue
      [[ $line == *" 200 "* ]] && return 0
    done
  done
  return 1
}

case $role in
  master)
    exec nbasparkd master --host "${SPARK_MASTER_HOST:-0.0.0.0}" --port "${SPARK_MASTER_PORT:-7077}" \
      --connect-port "${SPARK_CONNECT_PORT:-15002}" --webui-port "${SPARK_MASTER_WEBUI_PORT:-8080}" "${open[@]}" "$@"
    ;;
  worker)
    url=${SPARK_MASTER_URL:-spark://spark-master:7077}
    [[ ${1:-} == spark://* ]] && { url=$1; shift; }
    exec nbasparkd worker "$url" --host "${SPARK_WORKER_HOST:-$(hostname -i | cut -d' ' -f1)}" \
      --webui-port "${SPARK_WORKER_WEBUI_PORT:-8081}" "${open[@]}" "$@"
    ;;
  history)
    exec nbasparkd history --host 0.0.0.0 --dir "$events" --port "${SPARK_HISTORY_PORT:-18080}" "${open[@]}" "$@"
    ;;
  health)
    health
    ;;
  *)
    exec "$role" "$@"
    ;;
esac
