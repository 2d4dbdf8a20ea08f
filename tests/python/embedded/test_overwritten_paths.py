# SPDX-License-Identifier: Apache-2.0
"""What an overwrite must leave alone."""

import os

import pytest

from nbaspark.errors import PySparkException


def test_what_is_no_file_is_not_replaced(spark, tmp_path):
    """Spark would delete a pipe or device; a job run as root must not lose /dev/null."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(PySparkException):
        spark.range(1).write.mode("overwrite").csv(str(pipe))
    assert pipe.is_fifo()
