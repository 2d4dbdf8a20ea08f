# SPDX-License-Identifier: Apache-2.0
"""Fixtures of all Python tests and docstring examples.

`pytest --engine embedded` (the default) tests this package in one process. `pytest --engine spark` runs the same
tests on Apache Spark: `import nbaspark…` then gives the modules of pyspark-client, connected to the
Spark Connect server that NBASPARK_TEST_REMOTE names (default sc://localhost:15002). What passes on
ours and fails there is a wrong test. `pytest --engine remote` runs this package against that server, and
`pytest --engine cluster` against an nbasparkd master that is started for the run. Tests of parts that only this package's process has are below tests/python/embedded, or marked `@pytest.mark.embedded`.

`pytest --config NAME` runs the tests with the settings of tests/configs/NAME.json: small batches, forced spill, one
thread … Its answers must be the same. The file says which tests it is for (`tests`, all when missing), which
it cannot run and why (`exceptions`), and where answers that Spark gives otherwise are recorded (`recorded`).
"""

import gc
import importlib
import importlib.abc
import importlib.machinery
import json
import os
import re
import socket
import subprocess
import sys
import threading
import urllib.parse
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parent
CONFIGS = TOP / "tests" / "configs"

# Workers of pytest-xdist have a main module without a file, which pyspark takes for a run of its own doctests.
if not hasattr(sys.modules["__main__"], "__file__"):
    sys.modules["__main__"].__file__ = __file__


class _PySparkLoader(importlib.abc.Loader):
    def create_module(self, spec):
        module = importlib.import_module("pyspark" + spec.name[len("nbaspark") :])
        self.spec = module.__spec__
        return module

    def exec_module(self, module):
        module.__spec__ = self.spec  # the import system has put ours there


class _PySparkFinder(importlib.abc.MetaPathFinder):
    """Answers `import nbaspark.x` with pyspark.x."""

    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] != "nbaspark":
            return None
        return importlib.machinery.ModuleSpec(name, _PySparkLoader(), is_package=True)


def pytest_addoption(parser):
    parser.addoption(
        "--engine",
        choices=("embedded", "cluster", "remote", "spark"),
        default="embedded",
        help="what the tests run on: this package in one process, its client on its own server, its "
        "client on Apache Spark, or Apache Spark with its own client",
    )
    parser.addoption(
        "--config",
        choices=sorted(path.stem for path in CONFIGS.glob("*.json")),
        help="settings under which the tests run: tests/configs/NAME.json",
    )
    parser.addoption(
        "--long", action="store_true", help="the long form of tests with random faults"
    )


def _settings(config):
    name = config.getoption("--config")
    return json.loads((CONFIGS / f"{name}.json").read_text()) if name else {}


def pytest_configure(config):
    config.addinivalue_line("markers", "embedded: only for the engine of this package")
    if config.getoption("--engine") == "spark":
        for name in [name for name in sys.modules if name.split(".")[0] == "nbaspark"]:
            del sys.modules[name]
        sys.meta_path.insert(0, _PySparkFinder())
        gc.disable()  # see below


def _remote():
    return os.environ.get("NBASPARK_TEST_REMOTE", "sc://localhost:15002")


def pytest_sessionstart(session):
    # Spark's client tries for minutes to reach a server that is not there, once per test.
    config = session.config
    if config.getoption("--engine") not in ("spark", "remote") or config.option.collectonly:
        return
    url = urllib.parse.urlsplit(_remote())
    try:
        socket.create_connection((url.hostname or "localhost", url.port or 15002), 5).close()
    except OSError as error:
        raise pytest.UsageError(
            f"no Spark Connect server at {_remote()} ({error}): start one, or name it in NBASPARK_TEST_REMOTE"
        ) from None


def pytest_runtest_teardown(item):
    # Models of Spark's client call the server when they are collected; amid another call of gRPC that waits for itself.
    if item.config.getoption("--engine") == "spark" and "ml" in item.path.name:
        gc.collect()


def pytest_ignore_collect(collection_path, config):
    engine = config.getoption("--engine")
    if collection_path.name == "embedded":
        return True if engine != "embedded" or config.getoption("--config") else None
    if collection_path.name == "remote" and collection_path.is_dir():
        return None if engine in ("remote", "cluster") else True
    return None


def pytest_collection_modifyitems(config, items):
    settings = _settings(config)
    out = []
    if config.getoption("--engine") != "embedded":
        out += [item for item in items if item.get_closest_marker("embedded")]
    if settings:
        exceptions = settings["exceptions"]
        files = settings.get("tests", [item.path.name for item in items])
        out += [item for item in items if item.path.name not in files or item.name in exceptions]
        unknown = set(exceptions) - {item.name for item in items}
        if unknown:
            raise pytest.UsageError(f"exceptions that are no tests: {sorted(unknown)}")
    config.hook.pytest_deselected(items=out)
    items[:] = [item for item in items if item not in out]


@pytest.fixture(scope="session")
def engine(request):
    """Return the name of the engine under test."""
    return request.config.getoption("--engine")


@pytest.fixture(scope="session")
def settings(request):
    """What --config names, or nothing."""
    return _settings(request.config)


@pytest.fixture(scope="session")
def master(engine, tmp_path_factory):
    """The URL of the master; of one with two workers, started for the run, with --engine cluster."""
    if engine != "cluster":
        yield "local[2]"
        return
    daemon = os.environ.get("NBASPARK_TEST_DAEMON", str(TOP / "build" / "release" / "nbasparkd"))
    conf = tmp_path_factory.mktemp("cluster") / "spark-defaults.conf"
    # small tables are spread, too; several such runs may go on at once
    warehouse = conf.parent / "warehouse"
    conf.write_text(f"nbaspark.cluster.minRows 1\nspark.sql.warehouse.dir {warehouse}\n")
    processes = []

    def start(said, *arguments):
        command = [daemon, *arguments, "--webui-port", "0", "--properties-file", str(conf)]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        processes.append(process)
        for line in process.stderr:
            found = re.search(said, line)
            if found:
                # whatever it says later must not fill the pipe
                threading.Thread(target=process.stderr.read, daemon=True).start()
                return found.group()
        raise RuntimeError(f"{daemon} {arguments[0]} did not start")

    try:
        url = start(r"spark://[^,\s]+", "master", "--port", "0", "--connect-port", "0")
        for _ in range(2):
            start("attached to", "worker", url, "--cores", "1", "--memory", "1g")
        os.environ["SPARK_MASTER"] = url  # for builders that tests make themselves
        yield url
    finally:
        for process in reversed(processes):
            process.terminate()
            process.wait(20)


@pytest.fixture(scope="session")
def session(engine, settings, master, tmp_path_factory):
    """One session for the whole run."""
    from nbaspark.sql import SparkSession

    conf = settings.get("conf", {})
    if engine in ("spark", "remote"):
        remote = _remote()
        os.environ["SPARK_REMOTE"] = remote  # for builders that tests make themselves
        session = SparkSession.builder.remote(remote).getOrCreate()
    else:
        builder = SparkSession.builder.master(master).appName("tests")
        if (
            engine == "embedded"
        ):  # what an interrupted run left is in nobody's way; the cluster's master has its own
            builder.config("spark.sql.warehouse.dir", str(tmp_path_factory.mktemp("warehouse")))
        for key, value in conf.items():
            builder = builder.config(key, value)
        session = builder.getOrCreate()
    for key, value in conf.items():
        if key.startswith("spark.sql."):
            session.conf.set(key, value)
    session.conf.set("spark.sql.session.timeZone", "UTC")
    session.conf.set("spark.sql.shuffle.partitions", "4")
    yield session
    if engine in ("spark", "remote"):
        for key in conf:
            if key.startswith("spark.sql."):
                session.conf.unset(key)
    session.stop()


@pytest.fixture
def spark(session):
    """The session, without what the test left in it."""
    yield session
    for table in session.catalog.listTables():
        if table.isTemporary:
            session.catalog.dropTempView(table.name)


@pytest.fixture(autouse=True)
def _names_of_docstring_examples(request):
    """Docstring examples use `spark` without making it, as PySpark's do."""
    is_doctest = type(request.node).__name__ == "DoctestItem"
    if is_doctest and any("spark" in example.source for example in request.node.dtest.examples):
        request.getfixturevalue("doctest_namespace")["spark"] = request.getfixturevalue("session")
