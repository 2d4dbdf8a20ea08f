# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the tests with real processes; harness.py has what they are made of."""

import sys
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]

from harness import Master, Raw, connect  # noqa: E402
from proxy import Proxy  # noqa: E402


@pytest.fixture
def start_master():
    """Return a function that starts masters, which end with the test."""
    masters = []

    def start(*options, **kwargs):
        masters.append(Master(*options, **kwargs))
        return masters[-1]

    yield start
    for master in masters:
        master.stop()


@pytest.fixture(scope="session")
def master():
    """Return one master for the whole run, which must end well."""
    master = Master()
    assert master.port, master.log
    yield master
    assert master.stop() == 0, master.log
    assert "ERROR" not in master.log and "Sanitizer" not in master.log, master.log


@pytest.fixture(scope="module")
def spark(master):
    """Return a session of Spark's client."""
    session = connect(master.url)
    session.conf.set("spark.sql.shuffle.partitions", "4")
    yield session
    session.stop()


@pytest.fixture
def new_session(master):
    """Return a function that makes sessions, which end with the test."""
    sessions = []

    def make(url=None):
        sessions.append(connect(url or master.url))
        return sessions[-1]

    yield make
    for session in sessions:
        session.stop()


@pytest.fixture
def raw(master):
    """Return a raw connection to the master."""
    raw = Raw(master.port)
    yield raw
    raw.close()


@pytest.fixture
def proxy(master):
    """Return a function that makes proxies to the master."""
    proxies = []

    def make(**kwargs):
        proxies.append(Proxy("127.0.0.1", master.port, once=True, **kwargs))
        return proxies[-1]

    yield make
    for one in proxies:
        one.close()
