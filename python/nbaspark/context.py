# SPDX-License-Identifier: Apache-2.0
"""SparkContext: what programs ask of ``spark.sparkContext``.

There is no RDD here. The context tells facts about the application and takes settings; whatever
would need an RDD raises `PySparkNotImplementedError`.
"""

from __future__ import annotations

from nbaspark.errors.raising import not_implemented

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from nbaspark.conf import SparkConf
    from nbaspark.sql.session import SparkSession

__all__ = ["SparkContext"]

_LEVELS = ("ALL", "DEBUG", "ERROR", "FATAL", "INFO", "OFF", "TRACE", "WARN")

# methods of PySpark's SparkContext that are about RDDs, broadcast variables or a JVM
_ABSENT = frozenset(
    """accumulator addJobTag binaryFiles binaryRecords broadcast
    cancelAllJobs cancelJobGroup cancelJobsWithTag clearJobTags dump_profiles emptyRDD
    getCheckpointDir getJobTags getLocalProperty hadoopFile hadoopRDD listArchives listFiles
    newAPIHadoopFile newAPIHadoopRDD parallelize pickleFile range removeJobTag runJob sequenceFile
    setCheckpointDir setInterruptOnCancel setJobDescription setJobGroup setLocalProperty
    show_profiles statusTracker textFile union wholeTextFiles""".split()
)


class SparkContext:
    """Facts and settings of an application.

    Parameters
    ----------
    master : str, optional
        Where the application runs, ``local[N]`` for N threads of this process.
    appName : str, optional
        Its name.
    conf : SparkConf, optional
        More properties.

    Examples
    --------
    >>> spark.sparkContext.setLogLevel("ERROR")
    >>> spark.sparkContext.version
    '4.2.0'
    """

    def __init__(
        self,
        master: str | None = None,
        appName: str | None = None,
        conf: SparkConf | None = None,
        **kwargs: Any,
    ):
        from nbaspark.sql.session import SparkSession

        builder = SparkSession.builder
        if conf is not None:
            builder.config(conf=conf)
        if master is not None:
            builder.master(master)
        if appName is not None:
            builder.appName(appName)
        self._session = builder.getOrCreate()

    @classmethod
    def _of(cls, session: SparkSession) -> SparkContext:
        context = cls.__new__(cls)
        context._session = session
        return context

    @classmethod
    def getOrCreate(cls, conf: SparkConf | None = None) -> SparkContext:
        """Return the context of the running session, or begin one."""
        return cls(conf=conf)

    def __enter__(self) -> SparkContext:
        return self

    def __exit__(self, kind: Any, value: Any, trace: Any) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"<SparkContext master={self.master} appName={self.appName}>"

    @property
    def version(self) -> str:
        """The version of Spark whose behaviour the engine has."""
        return self._session.version

    @property
    def master(self) -> str:
        """Where the application runs."""
        return self._session._setting("spark.master", "local[*]")

    @property
    def appName(self) -> str:
        """The name of the application."""
        return self._session._setting("spark.app.name", "nbaspark")

    @property
    def applicationId(self) -> str:
        """A name for this run of the application."""
        return self._session._setting("spark.app.id", f"local-{self.startTime}")

    @property
    def startTime(self) -> int:
        """When the application began, in milliseconds since 1970."""
        return self._session._start_ms

    @property
    def sparkHome(self) -> str | None:
        """The folder that Spark is installed in, if the configuration names one."""
        return self._session._setting("spark.home", None)

    @property
    def pythonVer(self) -> str:
        """The version of Python, as ``"3.12"``."""
        import sys

        return "%d.%d" % sys.version_info[:2]

    @property
    def uiWebUrl(self) -> str | None:
        """The address of the web pages of the application; None unless ``spark.ui.enabled`` was set to true."""
        return self._session._setting("nbaspark.ui.url", None) or None

    @property
    def defaultParallelism(self) -> int:
        """How many tasks run at once."""
        wanted = self._session._setting("spark.default.parallelism", None)
        return int(wanted) if wanted else _threads(self.master)

    @property
    def defaultMinPartitions(self) -> int:
        """The least number of partitions of a source; 2 at most."""
        return min(self.defaultParallelism, 2)

    def getConf(self) -> SparkConf:
        """Return a copy of the properties."""
        from nbaspark.conf import SparkConf

        return SparkConf(False).setAll(list(self._session.conf.getAll.items()))

    def sparkUser(self) -> str:
        """Return the name of the user."""
        import getpass

        return getpass.getuser()

    def addFile(self, path: str, recursive: bool = False) -> None:
        """Make a file known to `SparkFiles.get` by its plain name.

        Parameters
        ----------
        path : str
            The file, or a folder if `recursive` is true.
        recursive : bool, optional
            Whether it may be a folder.
        """
        import os

        from nbaspark.files import local_path

        if os.path.isdir(local_path(path)) and not recursive:
            raise IsADirectoryError(21, "a folder, and recursive is not set", path)
        self._session.addArtifacts(path, file=True)

    def addPyFile(self, path: str) -> None:
        """Make a module of Python, or an archive of modules, importable."""
        self._session.addArtifacts(path, pyfile=True)

    def addArchive(self, path: str) -> None:
        """Unpack an archive into a folder that `SparkFiles.get` finds; ``a.zip#name`` names the folder."""
        self._session.addArtifacts(path, archive=True)

    def setLogLevel(self, logLevel: str) -> None:
        """Set how much is logged.

        Parameters
        ----------
        logLevel : str
            ALL, DEBUG, ERROR, FATAL, INFO, OFF, TRACE or WARN, in any letter case.
        """
        level = logLevel.upper()
        if level not in _LEVELS:
            from nbaspark.errors import IllegalArgumentException

            message = (
                f"requirement failed: Supplied level {logLevel} did not match one of: "
                + ",".join(_LEVELS)
            )
            raise IllegalArgumentException(message)
        self._session.conf._set_all({"spark.log.level": level}, silent=True)

    def stop(self) -> None:
        """End the application."""
        self._session.stop()

    def __getattr__(self, name: str) -> Any:
        if name in _ABSENT:
            raise not_implemented(f"SparkContext.{name}")
        if name in ("_jsc", "_jvm", "_gateway"):
            from nbaspark.errors import PySparkAttributeError

            raise PySparkAttributeError(
                errorClass="JVM_ATTRIBUTE_NOT_SUPPORTED", messageParameters={"attr_name": name}
            )
        raise AttributeError(f"'SparkContext' object has no attribute {name!r}")


def _threads(master: str) -> int:
    import os

    inside = master.partition("[")[2].rstrip("]").split(",")[0]
    if inside.isdigit():
        return int(inside)
    if master == "local":
        return 1
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1
