#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Usage: runtime-packages.sh FOLDER
# Prints the Debian packages that own the shared libraries which the programs and extensions below
# FOLDER/bin and nbaspark's package load, so that the final image installs those and no others.
set -euo pipefail
folder=$1

# A library may be registered under / or /usr, whatever way it was found.
owner() {
  local path=$1
  dpkg-query -S "$path" 2>/dev/null || dpkg-query -S "${path#/usr}" 2>/dev/null || dpkg-query -S "/usr$path" 2>/dev/null
}

programs() { echo "$folder/bin/nbasparkd"; find "$folder"/lib/python*/site-packages/nbaspark -name '*.so'; }

# Those that the linker names, and those that a program opens by name when it first needs them.
libraries() {
  programs | while read -r program; do ldd "$program"; done | awk '$2 == "=>" && $3 ~ "^/" {print $3}'
  programs | xargs grep -aohE 'lib[a-z0-9_-]+\.so\.[0-9]+' | sort -u \
    | while read -r name; do ldconfig -p | awk -v name="$name" '$1 == name {print $NF; exit}'; done
}

libraries | sort -u \
  | while read -r library; do
      found=$(owner "$library" || owner "$(readlink -f "$library")") \
        || { echo "no package owns $library" >&2; exit 1; }
      sed 's/:.*//' <<<"$found"
    done | sort -u
