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
  --load-spark-defaults     conf/spark-defaults.conf counts beside --properties-file, which wins
  --py-files FILES          .py, .zip or .egg files or folders to import from, separated by commas
  --files FILES             files that the job finds with SparkFiles.get, separated by commas
  --driver-memory MEM, --executor-memory MEM, --executor-cores N, --num-executors N,
  --total-executor-cores N, --driver-cores N, --deploy-mode client, --jars FILES, --packages NAMES,
  --exclude-packages NAMES, --repositories URLS, --archives FILES, --driver-java-options TEXT,
  --driver-library-path PATH, --driver-class-path PATH, --principal NAME, --keytab FILE,
  --queue NAME              kept as properties
  --class NAME, --supervise have no effect
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
    "--exclude-packages": "spark.jars.excludes",
    "--repositories": "spark.jars.repositories",
    "--archives": "spark.archives",
    "--driver-java-options": "spark.driver.extraJavaOptions",
    "--driver-library-path": "spark.driver.extraLibraryPath",
    "--driver-class-path": "spark.driver.extraClassPath",
    "--principal": "spark.kerberos.principal",
    "--keytab": "spark.kerberos.keytab",
}


_WITH_VALUE = {
    *_PROPERTIES,
    "--conf",
    "-c",
    "--properties-file",
    "--py-files",
    "--files",
    "--class",
}


class _Submission:
    """What the command line says."""

    def __init__(self) -> None:
        self.conf: dict[str, str] = {}
        self.properties_file: str | None = None
        self.load_defaults = False
        self.py_files: list[str] = []
        self.files: list[str] = []
        self.verbose = False
        self.job = ""
        self.arguments: list[str] = []


def _fail(message: str, usage: bool = False) -> SystemExit:
    sys.stderr.write(f"Error: {message}\n{_USAGE if usage else ''}")
    return SystemExit(1)


def _parse(argv: Sequence[str]) -> _Submission:
    """Read the command line; options end at the job."""
    found = _Submission()
    rest = list(argv)
    if not rest:
        sys.stderr.write(_USAGE)
        raise SystemExit(255)  # spark-submit's
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
        if option == "--load-spark-defaults":
            found.load_defaults = True
            continue
        if option == "--supervise":
            continue
        if option not in _WITH_VALUE:
            raise _fail(f"Unrecognized option: {option}", usage=True)
        if not equals:
            if not rest:
                raise _fail(f"Missing argument for option '{option}'.", usage=True)
            value = rest.pop(0)
        _take(found, option, value)
    raise _fail("Missing application resource.", usage=True)


def _take(found: _Submission, option: str, value: str) -> None:
    if option in ("--conf", "-c"):
        key, equals, text = value.partition("=")
        if not equals:
            raise _fail(f"Invalid argument to --conf: {value}", usage=True)
        found.conf[key.strip()] = text
    elif option == "--properties-file":
        found.properties_file = value
    elif option == "--py-files":
        found.py_files += [name for name in value.split(",") if name]
    elif option == "--files":
        found.files += [name for name in value.split(",") if name]
    elif option in _PROPERTIES:
        found.conf[_PROPERTIES[option]] = value


def _check(conf: dict[str, str]) -> None:
    """Refuse what spark-submit refuses."""
    master, mode = conf.get("spark.master", ""), conf.get("spark.submit.deployMode", "client")
    if "spark.remote" in conf and ("spark.master" in conf or "spark.submit.deployMode" in conf):
        raise _fail("Remote cannot be specified with master and/or deploy mode.")
    if master and not master.startswith(("spark", "local", "sc://")):
        raise _fail("Master must either be yarn or start with spark, k8s, or local")
    if mode not in ("client", "cluster"):
        raise _fail('--deploy-mode must be either "client" or "cluster"')
    if mode == "cluster" and master.startswith("spark"):
        raise _fail(
            "Cluster deploy mode is currently not supported for python applications on standalone clusters."
        )
    if mode == "cluster":
        raise _fail('Cluster deploy mode is not compatible with master "local"')


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


# What jobs that ask for PySpark's version are told: that of the API.
_PYSPARK_VERSION = "4.2.0"


class _PySpark(type(sys)):  # type: ignore[misc]
    """The package nbaspark as the package pyspark: all is the same but the version."""

    __version__ = _PYSPARK_VERSION

    def __getattr__(self, name: str) -> Any:
        return getattr(sys.modules["nbaspark"], name)


class _Loader:
    """Gives a module of nbaspark, which is loaded already."""

    def create_module(self, spec: Any) -> Any:
        if spec.name == "pyspark":
            import nbaspark

            self.module: Any = _PySpark("pyspark", nbaspark.__doc__)
            self.module.__path__ = nbaspark.__path__
            self.spec = spec
            return self.module
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
    """Make files known to SparkFiles."""
    from nbaspark.files import local_path, share

    for name in names:
        if not os.path.exists(local_path(name)):
            raise _fail(f"File not found: {name}")
    share(names)


def _read_properties(path: str) -> dict[str, str]:
    from nbaspark.defaults import parse

    try:
        with open(path, encoding="utf-8") as lines:
            return parse(lines)
    except OSError:
        raise _fail(f"Invalid properties file '{path}'.", usage=True) from None


def _of_spark(conf: dict[str, str]) -> dict[str, str]:
    """Drop properties that are not Spark's."""
    for key in conf:
        if not key.startswith(("spark.", "nbaspark.")):
            sys.stderr.write(f"Warning: Ignoring non-Spark config property: {key}\n")
    return {k: v for k, v in conf.items() if k.startswith(("spark.", "nbaspark."))}


def _prepare(found: _Submission) -> None:
    """Hand the properties down to the session, and make imports and files ready."""
    from nbaspark import defaults

    if found.properties_file and not found.load_defaults:
        os.environ[defaults.NO_FILE] = "1"
    conf = _read_properties(found.properties_file) if found.properties_file else {}
    conf = defaults.overlay(_of_spark(conf), _of_spark(found.conf))
    _check(conf)
    known = defaults.overlay(defaults.load(os.environ), conf)
    if "spark.app.name" not in known:
        conf["spark.app.name"] = os.path.basename(found.job)
    if "spark.master" not in known and "spark.remote" not in known:
        conf["spark.master"] = "local[*]"
    if "spark.remote" not in known:
        conf.setdefault("spark.submit.deployMode", "client")
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
        path = os.path.abspath(job)
        sys.stderr.write(
            f"{sys.executable}: can't open file '{path}': [Errno {e.errno}] {e.strerror}\n"
        )
        raise SystemExit(2) from None
    main = type(sys)("__main__")
    main.__file__ = job
    main.__builtins__ = __builtins__  # type: ignore[attr-defined]
    sys.modules["__main__"] = main
    sys.argv = [job, *arguments]
    sys.path.insert(0, os.path.dirname(os.path.abspath(job)))
    try:
        exec(code, main.__dict__)
    except Exception as e:  # its traceback begins in the job
        frames = e.__traceback__ and e.__traceback__.tb_next
        sys.excepthook(type(e), e.with_traceback(frames), frames)
        raise SystemExit(1) from None


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line."""
    found = _parse(sys.argv[1:] if argv is None else argv)
    _prepare(found)
    _run(found.job, found.arguments)


if __name__ == "__main__":
    main()
