# SPDX-License-Identifier: Apache-2.0
"""Configuration that exists before a program says anything.

``spark-defaults.conf`` comes first, then the environment; what a program sets wins over both.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

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
    r"""Read the lines of a properties file: ``key value``, ``key=value`` or ``key: value``.

    As java.util.Properties reads them: a line that begins with ``#`` or ``!`` is a comment; one that ends
    in an odd number of backslashes goes on in the next; ``\t``, ``\n``, ``\r``, ``\f`` and ``\uXXXX`` are
    characters, a backslash before another one stands for nothing. Values are trimmed, as Spark does.

    Examples
    --------
    >>> from nbaspark.defaults import parse
    >>> parse(["# engine", "spark.app.name  My job", "spark.sql.ansi.enabled=false"])
    {'spark.app.name': 'My job', 'spark.sql.ansi.enabled': 'false'}
    """
    conf: dict[str, str] = {}
    for line in _logical(lines):
        end = at = _end_of_key(line)
        while line[at : at + 1] in _BLANKS:
            at += 1
        if line[at : at + 1] in ("=", ":"):
            at += 1
        conf[_unescaped(line[:end])] = _unescaped(line[at:].lstrip(" \t\f")).strip(_TRIMMED)
    return conf


_BLANKS = (" ", "\t", "\f")
_TRIMMED = "".join(map(chr, range(33)))  # what Java's trim takes away


def _logical(lines: Iterable[str]) -> Iterator[str]:
    """Put lines together where one goes on in the next; leave out comments and empty ones."""
    pending = ""
    for line in lines:
        text = line.rstrip("\r\n").lstrip(" \t\f")
        if not pending and (not text or text[0] in "#!"):
            continue
        goes_on = (len(text) - len(text.rstrip("\\"))) % 2 == 1
        text = pending + (text[:-1] if goes_on else text)
        pending = text if goes_on else ""
        if not goes_on:
            yield text
    if pending:
        yield pending


def _end_of_key(line: str) -> int:
    at = 0
    while at < len(line) and line[at] not in "=: \t\f":
        at += 2 if line[at] == "\\" else 1
    return min(at, len(line))


_MADE = {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}


def _unescaped(text: str) -> str:
    if "\\" not in text:
        return text
    import re

    def character(found: re.Match[str]) -> str:
        code = found[1]
        return chr(int(code[1:], 16)) if len(code) == 5 else _MADE.get(code, code)

    made = re.sub(r"\\(u[0-9a-fA-F]{4}|.)", character, text, flags=re.DOTALL)
    return made.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
