#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
exec "$(dirname "${BASH_SOURCE[0]}")/nbaspark-daemon.sh" start master "$@"
