# SPDX-License-Identifier: Apache-2.0
"""Files that are handed to a session in one process."""

import sys
import zipfile

import pytest

from nbaspark.errors import PySparkRuntimeError, PySparkValueError
from nbaspark.files import SparkFiles


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    """Keep the files of a test to itself."""
    (tmp_path / "shared").mkdir()
    monkeypatch.setenv("NBASPARK_FILES", str(tmp_path / "shared"))
    monkeypatch.setattr(sys, "path", list(sys.path))


def test_files(spark, tmp_path):
    (tmp_path / "words.txt").write_text("one")
    spark.addArtifacts(str(tmp_path / "words.txt"), file=True)
    assert spark.read.text(SparkFiles.get("words.txt")).collect()[0].value == "one"
    spark.sparkContext.addFile("file://" + str(tmp_path / "words.txt"))  # the same again
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "words.txt").write_text("two")
    with pytest.raises(PySparkRuntimeError, match="Duplicate Artifact"):
        spark.addArtifact(str(tmp_path / "other" / "words.txt"), file=True)
    with pytest.raises(FileNotFoundError):
        spark.addArtifact(str(tmp_path / "absent.txt"), file=True)
    with pytest.raises(IsADirectoryError):
        spark.sparkContext.addFile(str(tmp_path / "other"))
    spark.sparkContext.addFile(str(tmp_path / "other"), recursive=True)
    assert open(SparkFiles.get("other/words.txt")).read() == "two"
    with pytest.raises(PySparkValueError, match="True together"):
        spark.addArtifacts("x", file=True, pyfile=True)


def test_modules(spark, tmp_path):
    (tmp_path / "module_of_a_job.py").write_text("X = 1\n")
    with zipfile.ZipFile(tmp_path / "modules.zip", "w") as archive:
        archive.writestr("zipped_module_of_a_job.py", "Y = 2\n")
    spark.addArtifacts(
        str(tmp_path / "module_of_a_job.py"), str(tmp_path / "modules.zip"), pyfile=True
    )
    from module_of_a_job import X
    from zipped_module_of_a_job import Y

    assert (X, Y) == (1, 2)


def test_archives(spark, tmp_path):
    with zipfile.ZipFile(tmp_path / "data.zip", "w") as archive:
        archive.writestr("a/b.txt", "in it")
    spark.addArtifact(str(tmp_path / "data.zip"), archive=True)
    spark.sparkContext.addArchive(str(tmp_path / "data.zip") + "#named")
    for folder in ("data.zip", "named"):
        assert open(SparkFiles.get(f"{folder}/a/b.txt")).read() == "in it"
