# SPDX-License-Identifier: Apache-2.0
"""Configuration that exists before a program says anything.

``spark-defaults.conf`` comes first, then the environment; what a program sets wins over both.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# environment variable -> property
_VARIABLES = {
    "SPARK_LOCAL_DIRS": "spark.local.dir",
    "SPARK_REMOTE": "spark.remote",
    "MASTER": "spark.master",
    "SPARK_MASTER": "spark.master",
}

# When set, conf/spark-defaults.conf is not looked for: a launcher has read another file.
NO_FILE = "NBASPARK_NO_DEFAULTS"

# Properties that a launcher hands down, one ``key=value`` per line.
_SUBMITTED = "NBASPARK_CONF"


def load(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the properties of the defaults file and of the environment."""
    conf: dict[str, str] = {}
    for folder in () if environ.get(NO_FILE) else _folders(environ):
        try:
            with open(f"{folder}/spark-defaults.conf", encoding="utf-8") as lines:
                overlay(conf, parse(lines))
            break
        except (FileNotFoundError, NotADirectoryError):
            continue
    overlay(conf, {k: environ[v] for v, k in _VARIABLES.items() if environ.get(v)})
    pairs = (line.partition("=") for line in environ.get(_SUBMITTED, "").splitlines())
    overlay(conf, {key.strip(): value for key, _, value in pairs if key.strip()})
    return conf


def overlay(conf: dict[str, str], later: Mapping[str, str]) -> dict[str, str]:
    """Let later properties win; a master also wins over a server that was named before it.

    Examples
    --------
    >>> from nbaspark.defaults import overlay
    >>> overlay({"spark.remote": "sc://there"}, {"spark.master": "local"})
    {'spark.master': 'local'}
    """
    if "spark.master" in later and "spark.remote" not in later:
        conf.pop("spark.remote", None)
    conf.update(later)
    return conf


def _folders(environ: Mapping[str, str]) -> Iterable[str]:
    if environ.get("SPARK_CONF_DIR"):
        yield environ["SPARK_CONF_DIR"]
    for home in ("NBASPARK_HOME", "SPARK_HOME"):
        if environ.get(home):
            yield environ[home] + "/conf"


def parse(lines: Iterable[str]) -> dict[str, str]:
    """Read the lines of a properties file: ``key value``, ``key=value`` or ``key: value``.

    A line that begins with ``#`` or ``!`` is a comment; one that ends in a backslash goes on in
    the next.

    Examples
    --------
    >>> from nbaspark.defaults import parse
    >>> parse(["# engine", "spark.app.name  My job", "spark.sql.ansi.enabled=false"])
    {'spark.app.name': 'My job', 'spark.sql.ansi.enabled': 'false'}
    """
    conf: dict[str, str] = {}
    pending = ""
    for line in lines:
        line = pending + line.strip()
        pending = ""
        if not line or line[0] in "#!":
            continue
        if line.endswith("\\"):
            pending = line[:-1]
            continue
        end = next((i for i, c in enumerate(line) if c in "=: \t"), len(line))
        key, value = line[:end], line[end:].lstrip()
        if value[:1] in ("=", ":"):
            value = value[1:].lstrip()
        conf[key] = value
    return conf
