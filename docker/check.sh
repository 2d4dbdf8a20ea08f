#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Usage: check.sh [FOLDER]          (as root; ./dev docker calls it)
#
# Builds the image and tries it as docker-compose.yml would run it, on machines without a Docker engine: master, three
# workers and history server, each as process 1 of its own PID namespace and in its own network namespace, in the image's
# root and under its user. A job goes to spark://spark-master:7077; its CSV, the pages and the history are looked at.
# Then the image with notebooks: its server answers, and a notebook's cell runs on the cluster.
#
# The base is what BASE_IMAGE names (default debian:bookworm-slim); where no registry answers, debootstrap makes one.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# overlay where the kernel lets it: vfs copies the whole root for every layer.
storage_driver() {
  local try
  try=$(mktemp -d "$1/try.XXXX")
  mkdir "$try"/{lower,upper,work,root}
  if mount -t overlay overlay -o "lowerdir=$try/lower,upperdir=$try/upper,workdir=$try/work" "$try/root" 2>/dev/null; then
    umount "$try/root"
    echo overlay
  else
    echo vfs
  fi
  rm -rf "$try"
}

out=$(realpath -m "${1:-build/docker}")
mkdir -p "$out"
export BUILDAH_ISOLATION=chroot STORAGE_DRIVER
STORAGE_DRIVER=$(storage_driver "$out")
base=${BASE_IMAGE:-debian:bookworm-slim}
image=nbaspark
names=(spark-master spark-worker-1 spark-worker-2 spark-worker-3 spark-history-server jupyter)
bridge=nbd0
net=10.213.77
pids=()
containers=()
roots=()

say() { printf '== %s\n' "$*"; }

# SIGTERM to process 1 of each container, as Docker sends it.
stop_all() {
  local name
  for name in "${names[@]}"; do
    ip netns pids "nb-$name" 2>/dev/null | while read -r pid; do
      case $(readlink "/proc/$pid/exe") in
        */opt/nbaspark/bin/nbasparkd | */usr/bin/python3*) kill "$pid" ;;
      esac
    done
  done
  [ ${#pids[@]} -eq 0 ] || wait "${pids[@]}"
  pids=()
}

finish() {
  local code=$? name i
  set +e
  stop_all
  for name in "${names[@]}"; do ip netns del "nb-$name" 2>/dev/null; rm -rf "/etc/netns/nb-$name"; done
  for i in "${!names[@]}"; do ip link del "nbv$i" 2>/dev/null; done # a namespace goes only after its last process
  ip link del "$bridge" 2>/dev/null
  for root in "${roots[@]}"; do umount -l "$root/proc" "$root/dev" 2>/dev/null; done
  for name in "${containers[@]}"; do buildah umount "$name" >/dev/null; buildah rm "$name" >/dev/null; done
  if [ "$code" != 0 ]; then tail -n 20 "$out"/*.log; fi
  exit "$code"
}
trap finish EXIT

# An image of that name whose root is a minimal Debian with this machine's package sources.
make_base() {
  local tree mirror c
  say "no registry answers for $base: debootstrap makes the base"
  tree=$(mktemp -d "$out/base.XXXX")
  mirror=$(sed -n 's/^URIs: *//p' /etc/apt/sources.list.d/debian.sources 2>/dev/null | head -n 1)
  debootstrap --variant=minbase bookworm "$tree" ${mirror:+"$mirror"} >"$out/debootstrap.log"
  rm -f "$tree/etc/apt/sources.list"
  rm -rf "$tree"/var/cache/apt/archives/*.deb "$tree"/var/lib/apt/lists/* "$tree"/usr/share/doc/* "$tree"/usr/share/man/*
  c=$(buildah from scratch)
  buildah copy -q "$c" "$tree" / >/dev/null
  buildah commit -q "$c" "$base" >/dev/null
  buildah rm "$c" >/dev/null
  rm -rf "$tree"
}

# This machine's way to its package sources, during the build only.
mounts=()
for path in /etc/apt/sources.list.d /etc/apt/apt.conf.d /etc/pip.conf; do
  [ -e "$path" ] && mounts+=(--volume "$path:$path:ro")
done
# certificates that only this machine knows are added by the package ca-certificates as it is installed
[ -e /etc/ssl/certs/ca-certificates.crt ] && mounts+=(--volume /etc/ssl/certs/ca-certificates.crt:/usr/local/share/ca-certificates/here.crt:ro)

# build TARGET TAG
build() {
  buildah build -q --format docker --layers --file docker/Dockerfile --target "$1" --tag "$2" --build-arg BASE_IMAGE="$base" "${mounts[@]}" . \
    >"$out/build-$1.log" 2>&1 || { tail -n 30 "$out/build-$1.log"; exit 1; }
  say "image $2: $(bytes "$2"), its base: $(bytes "$base")"
}
bytes() { buildah images --json "$1" | python3 -c 'import json, sys; print(json.load(sys.stdin)[0]["size"])'; }

# A root of an image, ready to be entered: $root.
unpack() {
  local container
  container=$(buildah from "$1")
  containers+=("$container")
  root=$(buildah mount "$container")
  roots+=("$root")
  mount -t proc proc "$root/proc"
  mount --rbind /dev "$root/dev"
  mount --make-rslave "$root/dev"
  printf '127.0.0.1 localhost\n%s\n' "$hosts" >"$root/etc/hosts"
}
hosts=$(for i in "${!names[@]}"; do echo "$net.$((i + 10)) ${names[i]}"; done)

say "building $image on $base"
buildah inspect --type image "$base" >/dev/null 2>&1 || buildah pull -q "$base" >/dev/null 2>&1 || make_base
build cluster "$image"
unpack "$image"
cp jobs/customer_segmentation.py "$root/opt/spark/apps/"
cp jobs/data/clientes_demo.csv "$root/opt/spark/data/clientes.csv"

# One bridge, one address and one name for each container.
ip link add "$bridge" type bridge
ip link set "$bridge" up
ip addr add "$net.1/24" dev "$bridge"
for i in "${!names[@]}"; do
  ns=nb-${names[i]}
  ip netns add "$ns"
  ip link add "nbv$i" type veth peer name eth0 netns "$ns"
  ip link set "nbv$i" master "$bridge" up
  ip -n "$ns" addr add "$net.$((i + 10))/24" dev eth0
  ip -n "$ns" link set eth0 up
  ip -n "$ns" link set lo up
done

# inside NAME COMMAND …: in that container, as the image's user.
inside() {
  local name=$1
  shift
  ip netns exec "nb-$name" unshare --uts --pid --fork --kill-child --mount-proc="$root/proc" \
    sh -c 'hostname "$0" && exec "$@"' "$name" \
    chroot --userspec=1000:1000 "$root" env -i HOME=/opt/spark HOSTNAME="$name" $(buildah inspect --type image --format '{{range .OCIv1.Config.Env}}{{.}} {{end}}' "$image") \
    NBASPARK_INSECURE=1 SPARK_WORKER_CORES=1 SPARK_WORKER_MEMORY=1g ${SPARK_REMOTE:+SPARK_REMOTE=$SPARK_REMOTE} sh -c 'cd /opt/spark && exec "$@"' sh "$@"
}
start() {
  local name=$1
  shift
  inside "$name" "$@" >"$out/$name.log" 2>&1 &
  pids+=($!)
}

started=$(date +%s%N)
start spark-master /opt/spark/entrypoint.sh master
for i in 1 2 3; do
  start "spark-worker-$i" /opt/spark/entrypoint.sh worker spark://spark-master:7077 --host "$net.$((i + 10))"
done
start spark-history-server /opt/spark/entrypoint.sh history

page() { python3 -c 'import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1], timeout=5).read().decode())' "$1"; }
until_true() { # SECONDS COMMAND …
  local end=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do [ "$SECONDS" -lt "$end" ] || { echo "never true: $*"; return 1; }; sleep 0.05; done
}
three_workers() { [ "$(page "http://$net.10:8080/api/v1/workers" | python3 -c 'import json, sys; print(len(json.load(sys.stdin)))')" = 3 ]; }
until_true 10 three_workers
say "three workers after $((($(date +%s%N) - started) / 1000000)) ms"
inside spark-worker-1 /opt/spark/entrypoint.sh health
say "the job"
started=$(date +%s%N)
inside spark-master nbaspark-submit --master spark://spark-master:7077 apps/customer_segmentation.py data/clientes.csv data/grupos
say "submitted and done after $((($(date +%s%N) - started) / 1000000)) ms"
ls "$root/opt/spark/data/grupos"
[ -e "$root/opt/spark/data/grupos/_SUCCESS" ]
rows=$(cat "$root"/opt/spark/data/grupos/part-*.csv | wc -l)
want=$(wc -l <"$root/opt/spark/data/clientes.csv")
[ "$rows" = "$want" ] || { echo "$rows lines instead of $want"; exit 1; }
listed() { page "http://$net.14:18080/api/v1/applications" | grep -q '"completed":true'; }
until_true 15 listed
page "http://$net.14:18080/" | grep -qi '<html'
say "the history server lists the application"

build jupyter "$image-jupyter"
unpack "$image-jupyter"
export SPARK_REMOTE=sc://spark-master:15002
start jupyter jupyter lab --ip=0.0.0.0 --port=8888 --no-browser
until_true 30 page "http://$net.15:8888/api"
cat >"$root/opt/spark/cell.ipynb" <<'CELL'
{"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3"}},
 "cells": [{"id": "one", "cell_type": "code", "metadata": {}, "outputs": [], "execution_count": null, "source":
  "from nbaspark.sql import SparkSession\nspark = SparkSession.builder.getOrCreate()\nprint('rows', spark.range(10).count())\nspark.stop()"}]}
CELL
chown 1000:1000 "$root/opt/spark/cell.ipynb"
inside jupyter jupyter nbconvert --log-level=WARN --to markdown --stdout --execute cell.ipynb | grep -q 'rows 10'
say "a notebook's cell ran on the cluster; stopping"
stop_all
say "image, cluster, job, history and notebooks work"
