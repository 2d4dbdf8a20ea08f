# SPDX-License-Identifier: Apache-2.0
"""Hashes, encryption, session facts and what fits nowhere else. Each function builds a call that the engine resolves by name."""

from __future__ import annotations

from nbaspark.errors.raising import check, value_error
from nbaspark.sql.column import Column
from nbaspark.sql.functions.base import deprecated, invoke, lit, lits, or_lit, seed_column

TYPE_CHECKING = False
if TYPE_CHECKING:
    from nbaspark.sql.functions.base import ColumnOrName


def aes_decrypt(
    input: ColumnOrName,
    key: ColumnOrName,
    mode: ColumnOrName | None = None,
    padding: ColumnOrName | None = None,
    aad: ColumnOrName | None = None,
) -> Column:
    """Decrypt bytes by AES."""
    return invoke(
        "aes_decrypt", input, key, or_lit(mode, "GCM"), or_lit(padding, "DEFAULT"), or_lit(aad, "")
    )


def aes_encrypt(
    input: ColumnOrName,
    key: ColumnOrName,
    mode: ColumnOrName | None = None,
    padding: ColumnOrName | None = None,
    iv: ColumnOrName | None = None,
    aad: ColumnOrName | None = None,
) -> Column:
    """Encrypt bytes by AES."""
    return invoke(
        "aes_encrypt",
        input,
        key,
        or_lit(mode, "GCM"),
        or_lit(padding, "DEFAULT"),
        or_lit(iv, ""),
        or_lit(aad, ""),
    )


def assert_true(col: ColumnOrName, errMsg: Column | str | None = None) -> Column:
    """Return null if a condition holds, and raise an error if not."""
    if errMsg is not None:
        check("errMsg", errMsg, (str, Column), "Column or str")
    return invoke("assert_true", col, *lits(errMsg))


def bitmap_bit_position(col: ColumnOrName) -> Column:
    """Return the position of a value in its bitmap."""
    return invoke("bitmap_bit_position", col)


def bitmap_bucket_number(col: ColumnOrName) -> Column:
    """Return the number of the bitmap that a value falls in."""
    return invoke("bitmap_bucket_number", col)


def bitmap_count(col: ColumnOrName) -> Column:
    """Return how many bits of a bitmap are set."""
    return invoke("bitmap_count", col)


def bucket(numBuckets: Column | int, col: ColumnOrName) -> Column:
    """Partition a table by a hash, into `numBuckets` parts."""
    deprecated("4.0.0", "partitioning.bucket")
    from nbaspark.sql.functions import partitioning

    return partitioning.bucket(numBuckets, col)


def crc32(col: ColumnOrName) -> Column:
    """Return the CRC-32 checksum."""
    return invoke("crc32", col)


def current_catalog() -> Column:
    """Return the current catalog."""
    return invoke("current_catalog")


def current_database() -> Column:
    """Return the current database."""
    return invoke("current_database")


def current_path() -> Column:
    """Return the path on which names are looked up."""
    return invoke("current_path")


def current_schema() -> Column:
    """Return the current database."""
    return invoke("current_schema")


def current_user() -> Column:
    """Return the name of the user."""
    return invoke("current_user")


def days(col: ColumnOrName) -> Column:
    """Partition a table by the day of a time."""
    deprecated("4.0.0", "partitioning.days")
    from nbaspark.sql.functions import partitioning

    return partitioning.days(col)


def hash(*cols: ColumnOrName) -> Column:
    """Return the Murmur3 hash of several columns, 32 bits."""
    return invoke("hash", *cols)


def hours(col: ColumnOrName) -> Column:
    """Partition a table by the hour of a time."""
    deprecated("4.0.0", "partitioning.hours")
    from nbaspark.sql.functions import partitioning

    return partitioning.hours(col)


def input_file_block_length() -> Column:
    """Return the length of the block that the row was read from, or -1."""
    return invoke("input_file_block_length")


def input_file_block_start() -> Column:
    """Return the offset of the block that the row was read from, or -1."""
    return invoke("input_file_block_start")


def input_file_name() -> Column:
    """Return the file that the row was read from, or an empty text."""
    return invoke("input_file_name")


def java_method(*cols: ColumnOrName) -> Column:
    """Call a Java method; nbaspark has no JVM, so that this always fails."""
    return invoke("java_method", *cols)


def md5(col: ColumnOrName) -> Column:
    """Return the MD5 digest in hexadecimal digits."""
    return invoke("md5", col)


def monotonically_increasing_id() -> Column:
    """Return increasing, unique, not consecutive numbers."""
    return invoke("monotonically_increasing_id")


def months(col: ColumnOrName) -> Column:
    """Partition a table by the month of a time."""
    deprecated("4.0.0", "partitioning.months")
    from nbaspark.sql.functions import partitioning

    return partitioning.months(col)


def raise_error(errMsg: Column | str) -> Column:
    """Raise an error with a message."""
    check("errMsg", errMsg, (str, Column), "Column or str")
    return invoke("raise_error", lit(errMsg))


def reflect(*cols: ColumnOrName) -> Column:
    """Call a Java method; nbaspark has no JVM, so that this always fails."""
    return invoke("reflect", *cols)


def session_user() -> Column:
    """Return the name of the user."""
    return invoke("session_user")


def sha(col: ColumnOrName) -> Column:
    """Return the SHA-1 digest in hexadecimal digits."""
    return invoke("sha", col)


def sha1(col: ColumnOrName) -> Column:
    """Return the SHA-1 digest in hexadecimal digits."""
    return invoke("sha1", col)


def sha2(col: ColumnOrName, numBits: int) -> Column:
    """Return the SHA-2 digest of `numBits` bits in hexadecimal digits."""
    if numBits not in (0, 224, 256, 384, 512):
        raise value_error(
            "VALUE_NOT_ALLOWED", arg_name="numBits", allowed_values="[0, 224, 256, 384, 512]"
        )
    return invoke("sha2", col, lit(numBits))


def spark_partition_id() -> Column:
    """Return the number of the partition."""
    return invoke("spark_partition_id")


def try_aes_decrypt(
    input: ColumnOrName,
    key: ColumnOrName,
    mode: ColumnOrName | None = None,
    padding: ColumnOrName | None = None,
    aad: ColumnOrName | None = None,
) -> Column:
    """Decrypt bytes by AES, or return null where it fails."""
    return invoke(
        "try_aes_decrypt",
        input,
        key,
        or_lit(mode, "GCM"),
        or_lit(padding, "DEFAULT"),
        or_lit(aad, ""),
    )


def try_reflect(*cols: ColumnOrName) -> Column:
    """Call a Java method; nbaspark has no JVM, so that this always fails."""
    return invoke("try_reflect", *cols)


def typeof(col: ColumnOrName) -> Column:
    """Return the name of the type."""
    return invoke("typeof", col)


def unwrap_udt(col: ColumnOrName) -> Column:
    """Return the stored form of a user-defined type."""
    return invoke("unwrap_udt", col)


def user() -> Column:
    """Return the name of the user."""
    return invoke("user")


def uuid(seed: Column | int | None = None) -> Column:
    """Return a random UUID."""
    return invoke("uuid", seed_column(seed))


def version() -> Column:
    """Return the version of Spark whose behaviour the engine has."""
    return invoke("version")


def xxhash64(*cols: ColumnOrName) -> Column:
    """Return the xxHash of several columns, 64 bits."""
    return invoke("xxhash64", *cols)


def years(col: ColumnOrName) -> Column:
    """Partition a table by the year of a time."""
    deprecated("4.0.0", "partitioning.years")
    from nbaspark.sql.functions import partitioning

    return partitioning.years(col)
