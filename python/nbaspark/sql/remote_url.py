# SPDX-License-Identifier: Apache-2.0
"""Where a remote session goes: ``sc://host:15002/;token=…`` and ``spark://host:7077``."""

from __future__ import annotations

from nbaspark.errors.raising import value_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_PORT = 15002
DEFAULT_MASTER_PORT = 7077

# Parameters of a connection string that have a meaning here; others become headers of each call.
_OWN = ("token", "use_ssl", "user_id", "user_agent", "session_id")


class Target:
    """A server, and who we are there."""

    def __init__(self, host: str, port: int, parameters: Mapping[str, str]):
        self.host = host
        self.port = port
        self.parameters = dict(parameters)

    @property
    def endpoint(self) -> str:
        """Host and port as gRPC takes them."""
        return f"{self.host}:{self.port}"

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """What each call carries besides the token."""
        return tuple((k.lower(), v) for k, v in self.parameters.items() if k not in _OWN)

    def get(self, name: str) -> str | None:
        """Return a parameter, or None."""
        return self.parameters.get(name)


def parse(url: str) -> Target:
    """Take a connection string or the URL of a master apart.

    Examples
    --------
    >>> from nbaspark.sql.remote_url import parse
    >>> target = parse("sc://spark.example.org/;token=a%3Db;use_ssl=true;x-team=nba")
    >>> target.endpoint, target.get("token"), target.headers
    ('spark.example.org:15002', 'a=b', (('x-team', 'nba'),))
    >>> parse("spark://master:7077").endpoint
    'master:7077'
    """
    scheme, separator, rest = url.partition("://")
    if not separator or scheme not in ("sc", "spark"):
        raise _invalid(
            "The URL must start with 'sc://'. Please update the URL to follow the correct format, "
            "e.g., 'sc://hostname:port'."
        )
    rest, _, parameters = rest.partition(";")
    place, _, path = rest.partition("/")
    if path:
        raise _invalid(
            f"The path component '/{path}' must be empty. Please update the URL to follow the "
            "correct format, e.g., 'sc://hostname:port'."
        )
    # A list of masters is for standby ones, which there are none of: the first is the master.
    place = place.partition(",")[0]
    host, port = _host_and_port(place, DEFAULT_PORT if scheme == "sc" else DEFAULT_MASTER_PORT)
    if not host:
        raise _invalid(
            f"Hostname is missing in the URL: '{url}'. Please update the URL to follow the correct "
            "format, e.g., 'sc://hostname:port'."
        )
    return Target(host, port, _parameters(parameters))


def _invalid(detail: str) -> Exception:
    return value_error("INVALID_CONNECT_URL", detail=detail)


def _host_and_port(place: str, default: int) -> tuple[str, int]:
    if place.startswith("["):
        host, _, after = place.partition("]")
        host += "]"
    else:
        host, colon, after = place.rpartition(":")
        if not colon:
            host, after = place, ""
        after = colon + after
    text = after.removeprefix(":")
    if not text:
        return host, default
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 65536):
        raise _invalid(f"'{text}' is no port. Please use a number from 1 to 65535.")
    return host, int(text)


def _parameters(text: str) -> dict[str, str]:
    from urllib.parse import unquote

    found = {}
    for part in filter(None, text.split(";")):
        key, equals, value = part.partition("=")
        if not equals or not key or "=" in value:
            raise _invalid(
                f"Parameter '{part}' should be provided as a key-value pair separated by an equal "
                "sign (=). Please update the parameter to follow the correct format, e.g., "
                "'key=value'."
            )
        found[key] = unquote(value)
    return found


def check_session_id(session_id: str) -> str:
    """Return a session's name if it is a UUID, which servers insist on."""
    from uuid import UUID

    try:
        return str(UUID(session_id))
    except ValueError as e:
        raise value_error("INVALID_SESSION_UUID_ID", arg_name="session_id", origin=e) from None
