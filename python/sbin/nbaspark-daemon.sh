#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Usage: nbaspark-daemon.sh start|stop master|worker|history [OPTION …]
#
# As Spark's own scripts: start leaves a daemon behind, with its process id in SPARK_PID_DIR (default /tmp) and its log in
# SPARK_LOG_DIR (default $SPARK_HOME/logs, else the temporary folder); with SPARK_NO_DAEMONIZE it stays in the foreground. stop asks the daemon to end
# and waits for it.
set -euo pipefail

action=${1:?start or stop}
role=${2:?master, worker or history}
shift 2
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
daemon=$(command -v "$here/nbasparkd" || command -v nbasparkd) \
  || { echo "nbasparkd is neither beside this script nor on PATH" >&2; exit 1; }
pid_file=${SPARK_PID_DIR:-/tmp}/nbaspark-${SPARK_IDENT_STRING:-$(id -un)}-$role.pid
logs=${SPARK_LOG_DIR:-${SPARK_HOME:+$SPARK_HOME/logs}}
log=${logs:-${TMPDIR:-/tmp}}/nbaspark-${SPARK_IDENT_STRING:-$(id -un)}-$role-$(hostname).out

# Whether the process of the file is one of ours, and not a later process that got its number. After an update of the package it still
# runs what has been deleted.
is_running() {
  local exe
  [ -f "$pid_file" ] && exe=$(readlink "/proc/$(<"$pid_file")/exe" 2>/dev/null) \
    && [ "${exe% (deleted)}" = "$(readlink -f "$daemon")" ]
}

case $action in
  start)
    [ -z "${SPARK_NO_DAEMONIZE:-}" ] || exec "$daemon" "$role" "$@"
    if is_running; then
      echo "$role runs as process $(<"$pid_file"). Stop it first." >&2
      exit 1
    fi
    mkdir -p "$(dirname "$log")" "$(dirname "$pid_file")"
    echo "starting nbasparkd $role, logging to $log"
    touch "$log" "$pid_file"
    before=$(wc -c <"$log")
    setsid nohup "$daemon" "$role" "$@" >>"$log" 2>&1 </dev/null &
    pid=$!
    echo $pid >"$pid_file"
    # until it says where it is, or has ended; one that serves no pages is given five seconds
    for _ in $(seq 100); do
      kill -0 $pid 2>/dev/null || { tail -n 20 "$log" >&2; rm -f "$pid_file"; exit 1; }
      ! tail -c +$((before + 1)) "$log" | grep -q 'web pages at\|http.* shows ' || break
      sleep 0.05
    done
    ;;
  stop)
    is_running || { echo "no $role to stop"; exit 0; }
    pid=$(<"$pid_file")
    echo "stopping nbasparkd $role"
    kill "$pid"
    for _ in $(seq 300); do is_running || { rm -f "$pid_file"; exit 0; }; sleep 0.1; done
    echo "$role (process $pid) does not end" >&2
    exit 1
    ;;
  *)
    echo "start or stop, not $action" >&2
    exit 2
    ;;
esac
