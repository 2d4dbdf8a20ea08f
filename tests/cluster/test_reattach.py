# SPDX-License-Identifier: Apache-2.0
"""Connections that break, streams that are taken over, operations that are found again."""

import threading
import time
import uuid

import grpc
import pytest

from nbaspark.sql import SparkSession


@pytest.mark.parametrize("cut_after", [3_000, 30_000, 1_000_000, 10_000_000])
def test_no_row_is_lost_or_doubled(master, proxy, new_session, cut_after):
    """The connection is cut in the middle of a result; the client comes back for the rest."""
    way = proxy()
    session = new_session(f"sc://127.0.0.1:{way.port}")
    session.range(1).collect()
    way.cut_after = cut_after
    for connection_is_new in (False, True):
        way.cut_after = cut_after if not connection_is_new else None
        table = session.range(2_000_000).toArrow()
        ids = table["id"].to_numpy()
        assert len(ids) == 2_000_000 and ids[0] == 0 and (ids[1:] - ids[:-1] == 1).all()
    assert way.n_cuts == 1


def reattachable(raw):
    option = raw.pb2.ExecutePlanRequest.RequestOption(
        reattach_options=raw.pb2.ReattachOptions(reattachable=True)
    )
    return {"operation_id": str(uuid.uuid4()), "request_options": [option]}


def reattach(raw, operation_id, last=None):
    request = raw.pb2.ReattachExecuteRequest(**raw.head(), operation_id=operation_id)
    if last:
        request.last_response_id = last
    return raw.stub.ReattachExecute(request, timeout=60)


def release(raw, operation_id):
    request = raw.pb2.ReleaseExecuteRequest(**raw.head(), operation_id=operation_id)
    request.release_all.SetInParent()
    return raw.stub.ReleaseExecute(request, timeout=30)


def failure(call):
    with pytest.raises(grpc.RpcError) as caught:
        list(call)
    return caught.value.details()


def rows(responses):
    return sum(r.arrow_batch.row_count for r in responses)


def test_every_position(raw):
    """From any response on, the rest is the same bytes as before."""
    fields = reattachable(raw)
    answers = raw.execute(raw.range_plan(600_000), **fields)
    all_of_it = [r for r in answers if not r.HasField("execution_progress")]
    assert rows(all_of_it) == 600_000 and all_of_it[-1].HasField("result_complete")
    assert len(all_of_it) > 4
    for i, response in enumerate(all_of_it[:-1]):
        rest = list(reattach(raw, fields["operation_id"], response.response_id))
        assert rest == all_of_it[i + 1 :]
    assert list(reattach(raw, fields["operation_id"])) == all_of_it
    release(raw, fields["operation_id"])
    assert "OPERATION_ABANDONED" in failure(reattach(raw, fields["operation_id"]))


def test_parts_of_batches(raw):
    option = raw.pb2.ExecutePlanRequest.RequestOption(
        result_chunking_options=raw.pb2.ResultChunkingOptions(
            allow_arrow_batch_chunking=True, preferred_arrow_chunk_size=5000
        )
    )
    fields = reattachable(raw)
    fields["request_options"].append(option)
    parts = list(raw.execute(raw.range_plan(5000), **fields))
    batches = [p.arrow_batch for p in parts if p.HasField("arrow_batch")]
    assert len(batches) > 5 and all(len(b.data) <= 5000 for b in batches)
    for i, part in enumerate(parts[:-1]):
        assert list(reattach(raw, fields["operation_id"], part.response_id)) == parts[i + 1 :]
    release(raw, fields["operation_id"])


def test_positions_that_are_none(raw):
    fields = reattachable(raw)
    list(raw.execute(raw.range_plan(10), **fields))
    for last in ("x", "1", "-1.0", "0.7", "99.0", "9999999999999999999999.0", "0.0.0", "é.0"):
        assert "POSITION_NOT_FOUND" in failure(reattach(raw, fields["operation_id"], last))
    release(raw, fields["operation_id"])
    release(raw, fields["operation_id"])
    unknown = str(uuid.uuid4())
    assert "OPERATION_NOT_FOUND" in failure(reattach(raw, unknown))
    assert "INVALID_HANDLE.FORMAT" in failure(reattach(raw, "no uuid"))


def test_only_once(raw):
    fields = reattachable(raw)
    list(raw.execute(raw.range_plan(10), **fields))
    assert "OPERATION_ALREADY_EXISTS" in failure(raw.execute(raw.range_plan(10), **fields))
    release(raw, fields["operation_id"])
    assert "OPERATION_ABANDONED" in failure(raw.execute(raw.range_plan(10), **fields))


def test_not_reattachable(raw):
    operation = str(uuid.uuid4())
    list(raw.execute(raw.range_plan(10), operation_id=operation))
    assert "OPERATION_ABANDONED" in failure(reattach(raw, operation))


def test_rows_come_while_the_query_runs(master, raw):
    """A result far larger than memory begins at once, and waits for a client that does not read."""
    before = master.rss()
    began = time.monotonic()
    fields = reattachable(raw)
    stream = raw.execute(raw.range_plan(100_000_000_000), **fields)
    assert rows([next(stream)]) > 0 and time.monotonic() - began < 10
    time.sleep(1)
    first = master.rss()
    for _ in range(300):  # as many MiB
        next(stream)
    assert master.rss() - before < 200 << 20, (before, first, master.rss())
    stream.cancel()
    release(raw, fields["operation_id"])


def test_positions_that_are_given_up(raw):
    """The server keeps what a client may have missed, not all that it ever sent."""
    fields = reattachable(raw)
    ids, last = [], 0
    for response in raw.execute(raw.range_plan(20_000_000), **fields):
        ids.append(response.response_id)
        last = response.arrow_batch.start_offset or last
    assert "POSITION_NOT_AVAILABLE" in failure(reattach(raw, fields["operation_id"]))
    assert "POSITION_NOT_AVAILABLE" in failure(reattach(raw, fields["operation_id"], ids[3]))
    rest = list(reattach(raw, fields["operation_id"], ids[-3]))
    assert [r.response_id for r in rest] == ids[-2:] and rest[0].arrow_batch.start_offset == last
    release(raw, fields["operation_id"])


LONG = "select sum(a.id * b.id % 7) from range(30000000) a, range(20000) b"


def test_a_newer_stream_takes_over(raw):
    fields = reattachable(raw)
    first = raw.execute(raw.sql_plan(LONG), **fields)
    said = []
    thread = threading.Thread(target=lambda: said.append(failure(first)))
    thread.start()
    time.sleep(0.3)
    second = reattach(raw, fields["operation_id"])
    thread.join(20)
    assert "INVALID_CURSOR.DISCONNECTED" in said[0]
    release(raw, fields["operation_id"])
    assert "DISCONNECTED" in failure(second)


def status_of(raw, operation_id):
    request = raw.pb2.GetStatusRequest(**raw.head())
    request.operation_status.operation_ids.append(operation_id)
    return raw.stub.GetStatus(request, timeout=30).operation_statuses[0].state


def test_a_client_that_goes(raw):
    """What it could come back for goes on; anything else is cancelled."""
    states = raw.pb2.GetStatusResponse.OperationStatus
    for fields, expected in (
        (reattachable(raw), states.OPERATION_STATE_RUNNING),
        ({"operation_id": str(uuid.uuid4())}, states.OPERATION_STATE_UNKNOWN),
    ):
        call = raw.execute(raw.sql_plan(LONG), **fields)
        time.sleep(0.3)
        call.cancel()
        deadline = time.monotonic() + 10
        while status_of(raw, fields["operation_id"]) != expected and time.monotonic() < deadline:
            time.sleep(0.05)
        assert status_of(raw, fields["operation_id"]) == expected
        request = raw.pb2.InterruptRequest(**raw.head(), interrupt_type=1)
        raw.stub.Interrupt(request, timeout=30)


def test_interrupted_operation_says_so(raw):
    fields = reattachable(raw)
    call = raw.execute(raw.sql_plan(LONG), **fields)
    time.sleep(0.3)
    request = raw.pb2.InterruptRequest(
        **raw.head(), interrupt_type=3, operation_id=fields["operation_id"]
    )
    assert list(raw.stub.Interrupt(request, timeout=30).interrupted_ids) == [fields["operation_id"]]
    assert "OPERATION_CANCELED" in failure(call)
    assert "OPERATION_CANCELED" in failure(reattach(raw, fields["operation_id"]))


def short_answers(raw, got=()):
    """Fields by which a client asks for short answers in one message, and says what it has got."""
    fields = reattachable(raw)
    option = raw.pb2.ExecutePlanRequest.RequestOption()
    option.extension.type_url = "nbaspark/whole"
    option.extension.value = ",".join(got).encode()
    fields["request_options"].append(option)
    return fields


def one_message(raw, plan, got=()):
    """Execute it until it is fast enough to be answered in one message; its operation and that."""
    for _ in range(50):
        fields = short_answers(raw, got)
        answers = [r for r in raw.execute(plan, **fields) if not r.HasField("execution_progress")]
        if len(answers) == 1:
            assert answers[0].response_id.endswith(".whole")
            return fields["operation_id"], answers[0]
        assert answers[-1].HasField("result_complete")
        release(raw, fields["operation_id"])
    raise AssertionError("never one message")


def test_short_answers_in_one_message(raw):
    """It is the rest's end as well; until it is named as got, all of it can be asked for again."""
    first, answer = one_message(raw, raw.range_plan(5))
    assert rows([answer]) == 5
    again = list(reattach(raw, first))
    assert rows(again) == 5 and again[-1].HasField("result_complete")
    assert again[0].arrow_batch == answer.arrow_batch and again[0].schema == answer.schema
    nothing = raw.sql_plan("select * from range(3) where id > 5")
    second, answer = one_message(raw, nothing, [first, "no id", str(uuid.uuid4())])
    assert rows([answer]) == 0 and answer.arrow_batch.data
    assert "OPERATION_ABANDONED" in failure(reattach(raw, first))
    command = raw.pb2.Plan()
    command.command.sql_command.input.sql.query = "select 1"
    third, answer = one_message(raw, command, [second])
    assert answer.HasField("sql_command_result")
    fields = short_answers(raw, [third])
    longer = list(raw.execute(raw.range_plan(600_000), **fields))
    assert rows(longer) == 600_000 and longer[-1].HasField("result_complete")
    assert not any(r.response_id.endswith(".whole") for r in longer)
    release(raw, fields["operation_id"])
    failing = raw.sql_plan("select 1 / 0")
    assert "DIVIDE_BY_ZERO" in failure(raw.execute(failing, **short_answers(raw)))


def test_operations_that_are_got_are_forgotten(master):
    """This package's client: at most one answer is kept for it, and no call releases it."""
    session = SparkSession.builder.remote(master.url).create()
    for n in range(10):
        assert session.range(n).count() == n
        assert len(session._channel._got) <= 1
    assert len(session.range(600_000).collect()) == 600_000
    assert session._channel._got == []
    session.stop()
