# SPDX-License-Identifier: Apache-2.0
"""The pages of master and workers say what there is."""

import json
import time

import pytest
from harness import Cluster


@pytest.fixture
def cluster(tmp_path):
    made = Cluster(tmp_path)
    yield made
    made.stop()


def workers(cluster):
    return json.loads(cluster.page(cluster.master, "/api/v1/workers"))


def test_master_lists_its_workers(cluster):
    assert workers(cluster) == []
    first = cluster.add(cores=2, memory="256m")
    cluster.add()
    shown = sorted(workers(cluster), key=lambda w: w["cores"])
    assert [w["cores"] for w in shown] == [1, 2]
    assert [w["memory"] >> 20 for w in shown] == [512, 256]
    assert {w["state"] for w in shown} == {"ALIVE"}
    assert all(w["coresused"] == 0 and 0 < w["port"] < 65536 for w in shown)
    assert all(abs(w["lastheartbeat"] / 1000 - time.time()) < 30 for w in shown)
    cluster.kill(first)
    until = time.monotonic() + 20
    while len(workers(cluster)) > 1 and time.monotonic() < until:
        time.sleep(0.05)
    assert [w["cores"] for w in workers(cluster)] == [1]


def test_every_process_has_a_page_and_a_health_check(cluster):
    worker = cluster.add()
    for process in (cluster.master, worker):
        assert cluster.page(process, "/health") == "ok\n"
        assert "<html" in cluster.page(process, "/")
        assert "# TYPE" in cluster.page(process, "/metrics")
