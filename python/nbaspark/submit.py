# SPDX-License-Identifier: Apache-2.0
"""Runs jobs that were written for PySpark: ``nbaspark-submit [options] job.py [arguments]``.

The job needs no change: under it, ``import pyspark…`` gives the modules of nbaspark.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

_USAGE = """\
Usage: nbaspark-submit [options] <job.py> [job arguments]
       python -m nbaspark.submit [options] <job.py> [job arguments]

Options:
  --master MASTER           local[N] in this process, spark://host:7077 on a cluster
  --remote URL              a Spark Connect server: sc://host:15002/;token=…
  --name NAME               name of the application
  --conf, -c KEY=VALUE      a property; may be given several times
  --properties-file FILE    properties, one per line; in place of conf/spark-defaults.conf
  --py-files FILES          .py, .zip or .egg files or folders to import from, separated by commas
  --files FILES             files that the job finds with SparkFiles.get, separated by commas
  --driver-memory MEM, --executor-memory MEM, --executor-cores N, --num-executors N,
  --total-executor-cores N, --driver-cores N, --deploy-mode MODE, --jars FILES, --packages NAMES,
  --queue NAME              kept as properties
  --verbose, -v             print the properties
  --version, --help, -h
"""

# option -> property
_PROPERTIES = {
    "--master": "spark.master",
    "--remote": "spark.remote",
    "--name": "spark.app.name",
    "--deploy-mode": "spark.submit.deployMode",
    "--driver-memory": "spark.driver.memory",
    "--driver-cores": "spark.driver.cores",
    "--executor-memory": "spark.executor.memory",
    "--executor-cores": "spark.executor.cores",
    "--num-executors": "spark.executor.instances",
    "--total-executor-cores": "spark.cores.max",
    "--jars": "spark.jars",
    "--packages": "spark.jars.packages",
    "--queue": "spark.yarn.queue",
}


class _Submission:
    """What the command line says."""

    def __init__(self) -> None:
        self.conf: dict[str, str] = {}
        self.properties_file: str | None = None
        self.py_files: list[str] = []
        self.files: list[str] = []
        self.verbose = False
        self.job = ""
        self.arguments: list[str] = []


def _fail(message: str) -> SystemExit:
    sys.stderr.write(f"Error: {message}\n")
    return SystemExit(1)


def _parse(argv: Sequence[str]) -> _Submission:
    """Read the command line; options end at the job."""
    found = _Submission()
    rest = list(argv)
    while rest:
        word = rest.pop(0)
        if not word.startswith("-"):
            found.job, found.arguments = word, rest
            return found
        option, equals, value = word.partition("=")
        if option in ("--help", "-h"):
            sys.stdout.write(_USAGE)
            raise SystemExit(0)
        if option == "--version":
            from nbaspark import __version__

            sys.stdout.write(f"nbaspark {__version__}\n")
            raise SystemExit(0)
        if option in ("--verbose", "-v"):
            found.verbose = True
            continue
        if not equals:
            if not rest:
                raise _fail(f"Missing argument for option '{option}'.")
            value = rest.pop(0)
        _take(found, option, value)
    raise _fail("Missing application resource.\n" + _USAGE)


def _take(found: _Submission, option: str, value: str) -> None:
    if option in ("--conf", "-c"):
        key, equals, text = value.partition("=")
        if not equals:
            raise _fail(f"Spark config without '=': {value}")
        found.conf[key.strip()] = text
    elif option == "--properties-file":
        found.properties_file = value
    elif option == "--py-files":
        found.py_files += [name for name in value.split(",") if name]
    elif option == "--files":
        found.files += [name for name in value.split(",") if name]
    elif option in _PROPERTIES:
        found.conf[_PROPERTIES[option]] = value
    else:
        raise _fail(f"Unrecognized option: {option}\n{_USAGE}")


class PySparkFinder:
    """Answers ``import pyspark.x`` with the module nbaspark.x, which then has both names."""

    @staticmethod
    def find_spec(name: str, path: Any = None, target: Any = None) -> Any:
        if name != "pyspark" and not name.startswith("pyspark."):
            return None
        from importlib.machinery import ModuleSpec

        return ModuleSpec(name, _Loader(), is_package=True)  # type: ignore[arg-type]

    @staticmethod
    def install() -> None:
        """Let imports of PySpark find nbaspark from now on."""
        if not any(isinstance(finder, PySparkFinder) for finder in sys.meta_path):
            sys.meta_path.insert(0, PySparkFinder())  # type: ignore[arg-type]


class _Loader:
    """Gives a module of nbaspark, which is loaded already."""

    def create_module(self, spec: Any) -> Any:
        name = "nbaspark" + spec.name[len("pyspark") :]
        try:
            __import__(name)
        except ModuleNotFoundError as e:
            if e.name != name:
                raise
            message = f"No module named {spec.name!r} (nbaspark does not have it)"
            raise ModuleNotFoundError(message, name=spec.name) from None
        self.module = sys.modules[name]
        self.spec = self.module.__spec__
        return self.module

    def exec_module(self, module: Any) -> None:
        module.__spec__ = self.spec  # the import system has put its own there


def _share_files(names: list[str]) -> None:
    """Put links to the files into one folder, which SparkFiles names."""
    import atexit
    import shutil
    import tempfile

    root = tempfile.mkdtemp(prefix="nbaspark-files-")
    atexit.register(shutil.rmtree, root, True)
    for name in names:
        source = os.path.abspath(name.removeprefix("file://").removeprefix("file:"))
        if not os.path.exists(source):
            raise _fail(f"File not found: {name}")
        os.symlink(source, os.path.join(root, os.path.basename(source)))
    os.environ["NBASPARK_FILES"] = root


def _read_properties(path: str) -> dict[str, str]:
    from nbaspark.defaults import parse

    try:
        with open(path, encoding="utf-8") as lines:
            return parse(lines)
    except OSError as e:
        raise _fail(f"Failed when loading Spark properties file {path}: {e.strerror}") from None


def _prepare(found: _Submission) -> None:
    """Hand the properties down to the session, and make imports and files ready."""
    conf = _read_properties(found.properties_file) if found.properties_file else {}
    conf.update(found.conf)
    conf.setdefault("spark.app.name", os.path.basename(found.job))
    os.environ["NBASPARK_CONF"] = "\n".join(f"{key}={value}" for key, value in conf.items())
    if found.verbose:
        for key, value in sorted(conf.items()):
            sys.stderr.write(f"{key}={value}\n")
    for name in found.py_files:
        path = os.path.abspath(name.removeprefix("file://").removeprefix("file:"))
        if not os.path.exists(path):
            raise _fail(f"File not found: {name}")
        sys.path.insert(1, os.path.dirname(path) if path.endswith(".py") else path)
    if found.files:
        _share_files(found.files)
    PySparkFinder.install()


def _run(job: str, arguments: list[str]) -> None:
    """Run a Python file as the main program."""
    try:
        with open(job, "rb") as file:
            code = compile(file.read(), job, "exec")
    except OSError as e:
        raise _fail(f"Cannot read {job}: {e.strerror}") from None
    main = type(sys)("__main__")
    main.__file__ = job
    main.__builtins__ = __builtins__  # type: ignore[attr-defined]
    sys.modules["__main__"] = main
    sys.argv = [job, *arguments]
    sys.path.insert(0, os.path.dirname(os.path.abspath(job)))
    exec(code, main.__dict__)


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line."""
    found = _parse(sys.argv[1:] if argv is None else argv)
    _prepare(found)
    _run(found.job, found.arguments)


if __name__ == "__main__":
    main()
