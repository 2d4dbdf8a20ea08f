# SPDX-License-Identifier: Apache-2.0
"""Files that clients upload: by Spark's client, and by hand. What Spark 4.2 answers was looked at case by case."""

import os
import zlib

import grpc
import pytest
from harness import Raw
from pyspark.errors import SparkRuntimeException


def files_below(folder):
    return {
        os.path.relpath(os.path.join(path, name), folder)
        for path, _, names in os.walk(folder)
        for name in names
    }


@pytest.fixture
def own(start_master, tmp_path):
    """A master with a folder of its own for what it stores, and the files in it."""
    (tmp_path / "local").mkdir()
    conf = tmp_path / "spark-defaults.conf"
    conf.write_text(
        f"spark.local.dir {tmp_path}/local\nnbaspark.connect.artifacts.maxBytes 1000000\n"
        f"spark.sql.files.allowedPaths {tmp_path}/allowed\n"
    )
    (tmp_path / "allowed").mkdir()
    master = start_master("--properties-file", str(conf))
    master.stored = lambda: {
        name.partition("/tree/")[2] or name for name in files_below(tmp_path / "local")
    }
    return master


def upload(raw, *messages):
    """Send messages of an upload; return names and whether they came well, or code and text."""
    requests = []
    for fill in messages:
        request = raw.pb2.AddArtifactsRequest(**raw.head())
        fill(request)
        requests.append(request)
    try:
        answer = raw.stub.AddArtifacts(iter(requests), timeout=30)
    except grpc.RpcError as error:
        assert error.code() == grpc.StatusCode.INTERNAL
        return error.details()
    return [(a.name, a.is_crc_successful) for a in answer.artifacts]


def whole(name, data=b"abc", crc=None):
    def fill(request):
        one = request.batch.artifacts.add(name=name)
        one.data.data = data
        one.data.crc = zlib.crc32(data) if crc is None else crc

    return fill


def begin(name, total, chunks, data):
    def fill(request):
        request.begin_chunk.name = name
        request.begin_chunk.total_bytes = total
        request.begin_chunk.num_chunks = chunks
        request.begin_chunk.initial_chunk.data = data
        request.begin_chunk.initial_chunk.crc = zlib.crc32(data)

    return fill


def chunk(data, crc=None):
    def fill(request):
        request.chunk.data = data
        request.chunk.crc = zlib.crc32(data) if crc is None else crc

    return fill


def test_by_sparks_client(own, new_session, tmp_path):
    session = new_session(own.url)
    (tmp_path / "m.py").write_text("x = 1\n")
    (tmp_path / "large.txt").write_text("line\n" * 60_000)
    session.addArtifacts(str(tmp_path / "m.py"), pyfile=True)
    session.addArtifacts(str(tmp_path / "m.py"), pyfile=True)  # the same is fine
    session.addArtifacts(str(tmp_path / "large.txt"), file=True)  # in chunks
    assert own.stored() == {"pyfiles/m.py", "files/large.txt"}
    (tmp_path / "m.py").write_text("x = 2\n")
    with pytest.raises(SparkRuntimeException) as caught:
        session.addArtifacts(str(tmp_path / "m.py"), pyfile=True)
    assert caught.value.getCondition() == "ARTIFACT_ALREADY_EXISTS"
    assert caught.value.getMessageParameters() == {"normalizedRemoteRelativePath": "pyfiles/m.py"}
    clone = session.cloneSession()
    clone.range(1).collect()
    session.stop()
    assert own.stored() == {"pyfiles/m.py", "files/large.txt"}  # the copy has them still
    clone.addArtifacts(str(tmp_path / "large.txt"), file=True)
    clone.client.release_session()
    assert own.stored() == set() and os.listdir(tmp_path / "local") == []


@pytest.mark.parametrize(
    ("name", "stored"),
    [
        ("pyfiles/a.py", "pyfiles/a.py"),
        ("pyfiles/../b.py", "b.py"),
        ("files/a//./c.txt", "files/a/c.txt"),
        ("archives/z.zip#as/../here", "archives/z.zip"),
        ("files/sp ace é.txt", "files/sp ace é.txt"),
    ],
)
def test_names(own, name, stored):
    raw = Raw(own.port)
    assert upload(raw, whole(name)) == [(name, True)]
    assert own.stored() == {stored}
    raw.close()


@pytest.mark.parametrize(
    "name",
    ["", "..", "../a", "/a", "files/..", "files/../../a", "files/a/../../../a", "files/", "a\0b"]
    + ["x" * 2000, "forward_to_fs"[:-1] + "/../../a"],
)
def test_names_that_lead_out(own, name, tmp_path):
    raw = Raw(own.port)
    assert "INVALID_ARTIFACT_PATH" in upload(raw, whole(name))
    assert own.stored() == set() and raw.config().pairs
    raw.close()


def test_a_name_that_is_a_folder(own):
    raw = Raw(own.port)
    assert upload(raw, whole("files/a/b")) == [("files/a/b", True)]
    assert "ARTIFACT_ALREADY_EXISTS" in upload(raw, whole("files/a"))
    assert isinstance(upload(raw, whole("files/a/b/c")), str)
    assert isinstance(upload(raw, whole("files/" + "n" * 300)), str)
    assert own.stored() == {"files/a/b"}
    raw.close()


def test_checksums_and_chunks(own):
    raw = Raw(own.port)
    assert upload(raw, whole("files/x", crc=5)) == [("files/x", False)]
    assert upload(raw, begin("files/y", 6, 2, b"abc"), chunk(b"def", crc=1)) == [("files/y", False)]
    assert upload(raw, begin("files/y", 6, 2, b"abc"), chunk(b"def")) == [("files/y", True)]
    for messages in (
        [begin("files/z", 6, 2, b"abc")],
        [begin("files/z", 6, 1, b"abc")],
        [begin("files/z", 2, 1, b"abc")],
        [begin("files/z", 6, 3, b"abc"), chunk(b"defg")],
        [begin("files/z", 9, 3, b"abc"), begin("files/z", 9, 3, b"abc")],
        [begin("files/z", 9, 3, b"abc"), whole("files/z")],
        [begin("files/z", -1, 1, b"")],
        [begin("files/z", 1 << 62, 1 << 40, b"")],
        [chunk(b"abc")],
    ):
        assert "INVALID" in upload(raw, *messages)
    assert own.stored() == {"files/y"}
    raw.close()


def test_bytes_of_a_session_are_bounded(own):
    raw = Raw(own.port)
    half = b"x" * 500_000
    assert upload(raw, whole("files/a", half)) == [("files/a", True)]
    assert upload(raw, whole("files/a", half)) == [("files/a", True)]  # is there already
    assert "ARTIFACT_LIMIT_EXCEEDED" in upload(raw, whole("files/b", half + b"y"))
    request = raw.pb2.ConfigRequest(**raw.head())  # no setting of a client changes that
    request.operation.set.pairs.add(key="nbaspark.connect.artifacts.maxBytes", value="9000000")
    raw.stub.Config(request)
    assert upload(raw, whole("files/b", half)) == [("files/b", True)]
    assert "ARTIFACT_LIMIT_EXCEEDED" in upload(raw, whole("files/c", b"z"))
    assert own.stored() == {"files/a", "files/b"}
    raw.close()


def test_local_data_has_a_status_and_files_have_none(own):
    raw = Raw(own.port)
    upload(raw, whole("cache/some"), whole("files/some"))
    request = raw.pb2.ArtifactStatusesRequest(
        names=["cache/some", "files/some", "cache/none", "../x"], **raw.head()
    )
    found = raw.stub.ArtifactStatus(request).statuses
    assert {name: status.exists for name, status in found.items()} == {
        "cache/some": True,
        "files/some": False,
        "cache/none": False,
        "../x": False,
    }
    raw.close()


def test_files_for_a_path_of_the_server(own, new_session, tmp_path):
    session = new_session(own.url)
    (tmp_path / "t.txt").write_text("text")
    target = tmp_path / "allowed" / "new" / "t.txt"
    with pytest.raises(Exception, match="destination path is not supported"):
        session.copyFromLocalToFs(str(tmp_path / "t.txt"), str(target))
    session.conf.set("spark.sql.artifact.copyFromLocalToFs.allowDestLocal", "true")
    for text in ("text", "another"):
        (tmp_path / "t.txt").write_text(text)
        session.copyFromLocalToFs(str(tmp_path / "t.txt"), str(target))
        assert target.read_text() == text
    session.copyFromLocalToFs(str(tmp_path / "t.txt"), str(target.parent))  # a folder
    for outside in (tmp_path / "t2.txt", tmp_path / "allowed" / ".." / "t2.txt"):
        with pytest.raises(Exception, match="PATH_NOT_ALLOWED"):
            session.copyFromLocalToFs(str(tmp_path / "t.txt"), str(outside))
    assert not (tmp_path / "t2.txt").exists()
    assert files_below(tmp_path / "allowed") == {"new/t.txt", "new/new"}
