# SPDX-License-Identifier: Apache-2.0
"""Queries on a cluster whose processes are killed, stopped and started again, whose network is cut and whose disks are full.

Each must end with the rows that one process gives, exactly once in files, or with a clear error; never hang. test_check_N is check N of
the list of what this package must survive; others of security (18 to 20) are in test_security.py, 21 is in the tests of the history
server, and 22, what users' Python functions may do, in test_python_functions.py here and in tests/python/embedded.
"""

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest
from harness import PROCESS_S, SLOW, Cluster, Network

from nbaspark.errors import PySparkException
from nbaspark.sql import functions as F


@pytest.fixture
def make_cluster(tmp_path):
    """Make a master; tests add workers."""
    made = []

    def make(**options):
        made.append(Cluster(tmp_path, **options))
        return made[-1]

    yield make
    for one in made:
        one.stop()
    assert list((tmp_path / "local").glob("**/*")) == [], "blocks are left on disk"


@pytest.fixture
def cluster(make_cluster):
    """A master of a cluster as it comes."""
    return make_cluster()


@pytest.fixture
def network():
    """Hosts that can be cut off from each other."""
    if not Network.possible():
        pytest.skip("needs the right to make network namespaces")
    made = Network()
    yield made
    made.close()


@contextmanager
def small_disk(path, size="2m"):
    """A file system with so much room."""
    path.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(path)], capture_output=True
    )
    if mounted.returncode != 0:
        pytest.skip("needs the right to mount")
    try:
        yield path
    finally:
        subprocess.run(["umount", "-l", str(path)], check=True)


ROWS = 400000
WAIT_S = 60 * SLOW


def big_query(spark):
    """Two shuffles, a join and an aggregate."""
    left = spark.range(ROWS)
    right = spark.range(ROWS).select(
        "id", (F.col("id") * 2).alias("x"), F.col("id").cast("string").alias("t")
    )
    return (
        left.join(right, "id")
        .groupBy((F.col("id") % 50).alias("k"))
        .agg(F.sum("x").alias("x"), F.max("t").alias("t"), F.count("*").alias("n"))
        .orderBy("k")
    )


EXPECTED = [
    (
        k,
        sum(2 * i for i in range(k, ROWS, 50)),
        max(str(i) for i in range(k, ROWS, 50)),
        ROWS // 50,
    )
    for k in range(50)
]


def rows(frame):
    return [tuple(row) for row in frame.collect()]


def later(seconds, do, *arguments):
    timer = threading.Timer(seconds, do, arguments)
    timer.start()
    return timer


def test_queries_spread_over_workers(cluster):
    cluster.add()
    cluster.add(cores=2)
    spark = cluster.session()
    assert rows(big_query(spark)) == EXPECTED
    frame = spark.range(1000)
    assert frame.filter("id % 10 = 3").count() == 100
    assert [r.id for r in frame.orderBy(F.desc("id")).limit(3).collect()] == [999, 998, 997]
    assert frame.select(F.countDistinct(F.col("id") % 7)).collect()[0][0] == 7
    window = spark.sql("select id, sum(id) over (partition by id % 3 order by id) s from range(30)")
    assert sum(r.s for r in window.collect()) == sum(
        sum(j for j in range(i % 3, i + 1, 3)) for i in range(30)
    )
    with pytest.raises(PySparkException, match="DIVIDE_BY_ZERO"):
        spark.range(1000).select(F.expr("1 / (id - 500)")).collect()
    # a query that has ended leaves no block anywhere
    until = time.monotonic() + 5 * SLOW
    while any(cluster.open_files(w) for w in cluster.workers) and time.monotonic() < until:
        time.sleep(0.02)
    assert [cluster.open_files(w) for w in cluster.workers] == [[], []]
    spark.stop()


def test_without_workers_the_master_runs_queries(cluster):
    spark = cluster.session()
    assert rows(big_query(spark)) == EXPECTED
    spark.stop()


@pytest.mark.parametrize("delay", [0.0, 0.05, 0.1, 0.2, 0.4])
def test_check_1_worker_killed(cluster, delay):
    victim = cluster.add()
    cluster.add()
    spark = cluster.session()
    timer = later(delay, cluster.kill, victim)
    assert rows(big_query(spark)) == EXPECTED
    timer.join()
    assert rows(big_query(spark)) == EXPECTED
    spark.stop()


def test_check_2_two_of_three_killed(cluster):
    victims = [cluster.add(), cluster.add()]
    cluster.add()
    spark = cluster.session()
    timers = [later(0.05, cluster.kill, victims[0]), later(0.15, cluster.kill, victims[1])]
    assert rows(big_query(spark)) == EXPECTED
    for timer in timers:
        timer.join()
    spark.stop()


def wait_for(what, seconds=WAIT_S):
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_check_5_worker_stopped_and_back(cluster, request):
    victim = cluster.add()
    cluster.add()
    spark = cluster.session()
    timer = later(0.05, cluster.kill, victim, signal.SIGSTOP)
    assert rows(big_query(spark)) == EXPECTED
    timer.join()
    # the query may have ended before the worker was missed
    wait_for(lambda: len(json.loads(cluster.page(cluster.master, "/api/v1/workers"))) == 1)
    if request.config.getoption("--long"):
        time.sleep(60)
    victim.send_signal(signal.SIGCONT)
    # "no longer attached to" is one of them
    wait_for(lambda: victim.log.read_text().count("attached to") >= 3)
    assert rows(big_query(spark)) == EXPECTED
    spark.stop()


def test_a_master_that_stood_still_misses_nobody(cluster):
    """A machine that slept, or was too busy: what workers said meanwhile is read before they are given up."""
    worker = cluster.add()
    time.sleep(0.5)
    cluster.master.send_signal(signal.SIGSTOP)
    time.sleep(3 * SLOW)  # twice the timeout
    cluster.master.send_signal(signal.SIGCONT)
    spark = cluster.session()
    assert rows(big_query(spark)) == EXPECTED
    assert "is gone" not in cluster.master.log.read_text()
    assert worker.log.read_text().count("as worker") == 1
    spark.stop()


def test_check_3_master_restarted(cluster, request):
    worker = cluster.add()
    spark = cluster.session()
    assert spark.range(1000).count() == 1000
    for number in range(20 if request.config.getoption("--long") else 2):
        cluster.master.kill()
        cluster.master.wait()
        cluster.start_master()
        attached = 2 + number
        wait_for(lambda n=attached: worker.log.read_text().count("as worker") >= n, 10 * SLOW)
        again = cluster.session()
        assert rows(big_query(again)) == EXPECTED
        again.stop()


CLIENT = """
import sys
from nbaspark.sql import SparkSession
spark = SparkSession.builder.remote(sys.argv[1]).create()
print("begins", flush=True)
spark.sql("select count(*) from range(0, 3000000, 1, 64) a join range(40000) b on a.id % 7 < b.id").collect()
"""


def processor_s(process):
    fields = Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_check_4_client_killed(make_cluster):
    cluster = make_cluster(conf="spark.connect.execute.manager.detachedTimeout 2s\n")
    worker = cluster.add()
    client = subprocess.Popen(
        [sys.executable, "-c", CLIENT, f"sc://{cluster.address}"], stdout=subprocess.PIPE, text=True
    )
    assert client.stdout.readline() == "begins\n"
    before = processor_s(worker)
    wait_for(lambda: processor_s(worker) > before + 0.2)  # its tasks run
    client.kill()
    client.wait()
    until = time.monotonic() + 30 * SLOW
    while True:  # nothing goes on for it any more
        before = processor_s(worker) + processor_s(cluster.master)
        time.sleep(0.5)
        idle = processor_s(worker) + processor_s(cluster.master) - before < 0.05
        if idle and cluster.open_files(worker) == []:  # a busy machine may leave tasks idle, too
            break
        assert time.monotonic() < until
    spark = cluster.session()
    assert rows(big_query(spark)) == EXPECTED
    spark.stop()


@pytest.mark.parametrize("healed", [False, True])
def test_check_6_network_cut_between_workers(make_cluster, network, healed):
    cluster = make_cluster(network=network)
    first, second = cluster.add(), cluster.add()
    cluster.add()
    spark = cluster.session()
    assert rows(big_query(spark)) == EXPECTED
    timer = later(0.05, first.host.cut, second.host)
    mended = later(2, first.host.heal, second.host) if healed else None
    assert rows(big_query(spark)) == EXPECTED
    timer.join()
    if mended:
        mended.join()
    assert rows(big_query(spark)) == EXPECTED
    spark.stop()


def test_network_cut_between_worker_and_master(make_cluster, network):
    cluster = make_cluster(network=network)
    victim = cluster.add()
    cluster.add()
    spark = cluster.session()
    timer = later(0.05, victim.host.cut, cluster.master.host)
    assert rows(big_query(spark)) == EXPECTED
    timer.join()
    victim.host.heal(cluster.master.host)
    wait_for(lambda: victim.log.read_text().count("as worker") >= 2)
    assert rows(big_query(spark)) == EXPECTED
    spark.stop()


def test_check_7_disk_full_of_blocks(cluster, tmp_path):
    with small_disk(tmp_path / "small") as disk:
        worker = cluster.add(local=disk)
        spark = cluster.session()
        wide = spark.range(0, ROWS, 1, 4).select("id", F.expr("repeat(hex(id * 7919), 8) t"))
        with pytest.raises(PySparkException, match=r"(?s)SPILL_FILE_FAILED.*small"):
            wide.repartition(3, "id").agg(F.max("t")).collect()
        wait_for(lambda: not [f for f in cluster.open_files(worker) if "small" in f])
        assert list(disk.iterdir()) == []
        assert spark.range(1000).agg(F.sum("id")).collect()[0][0] == 499500
        spark.stop()
        cluster.kill(worker)


def test_check_8_disk_full_while_writing(cluster, tmp_path):
    cluster.add()
    spark = cluster.session()
    with small_disk(tmp_path / "small") as disk:
        target = disk / "out"
        wide = spark.range(0, ROWS, 1, 4).select("id", F.expr("repeat(hex(id * 7919), 8) t"))
        with pytest.raises(PySparkException):
            wide.write.csv(str(target))
        assert not (target / "_SUCCESS").exists()
        spark.range(10).write.mode("overwrite").csv(str(target))
        assert (target / "_SUCCESS").exists() and not (target / "_temporary").exists()
        assert spark.read.csv(str(target), schema="id bigint").count() == 10
        shutil.rmtree(target)
    spark.stop()


def test_disks_take_turns_and_bad_ones_are_left_out(make_cluster, tmp_path):
    """SPARK_LOCAL_DIRS is a list; what is missing is made, what cannot be written is not used."""
    first, second = tmp_path / "new" / "first", tmp_path / "second"
    cluster = make_cluster(env={"SPARK_LOCAL_DIRS": f"/proc/none, {first},{second}"})
    worker = cluster.add()
    assert "/proc/none is not used" in worker.log.read_text()
    session = cluster.session()
    session.conf.set("nbaspark.debug.forceSpill", "true")
    assert rows(big_query(session)) == EXPECTED
    session.stop()
    assert first.is_dir() and second.is_dir()


def test_the_working_directory_of_a_worker(make_cluster, tmp_path):
    """SPARK_WORKER_DIR is where blocks go when nothing else is said."""
    cluster = make_cluster(env={"SPARK_LOCAL_DIRS": "", "SPARK_WORKER_DIR": str(tmp_path / "work")})
    cluster.add()
    assert (tmp_path / "work").is_dir()


def test_a_worker_that_ends_lets_its_tasks_end(cluster):
    """SIGTERM: what runs is done, and nothing more is begun there."""
    worker = cluster.add()
    session = cluster.session()
    slow = session.range(0, 3000000, 1, 2).selectExpr(
        "sha2(sha2(cast(id as string), 512), 512) as h"
    )
    slow = slow.selectExpr("length(h) as n").groupBy("n").count()
    got = []
    thread = threading.Thread(target=lambda: got.extend(rows(slow)))
    thread.start()
    until = time.monotonic() + WAIT_S
    while not json.loads(cluster.page(cluster.master, "/api/v1/workers"))[0]["tasks"]:
        assert time.monotonic() < until
        time.sleep(0.01)
    cluster.add()
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(PROCESS_S) == 0
    thread.join(WAIT_S)
    assert got == [(128, 3000000)]
    (app,) = json.loads(cluster.page(cluster.master, "/api/v1/applications"))
    stages = json.loads(cluster.page(cluster.master, f"/api/v1/applications/{app['id']}/stages"))
    assert sum(s["numFailedTasks"] + s["numKilledTasks"] for s in stages) == 0
    session.stop()


def test_out_of_memory(cluster):
    cluster.add(memory="16m")
    spark = cluster.session()
    wide = spark.range(0, ROWS, 1, 2).select(F.expr("repeat(hex(id), 4) t"))
    with pytest.raises(PySparkException, match="UNABLE_TO_ACQUIRE_MEMORY"):
        wide.agg(F.collect_list("t")).select(F.expr("size(`collect_list(t)`)")).collect()
    assert rows(spark.range(1000).agg(F.sum("id"))) == [(499500,)]
    spark.stop()


def test_check_19_processes_show_each_other_their_secret(make_cluster):
    cluster = make_cluster(conf="spark.authenticate true\nspark.authenticate.secret hush\n")
    workers = [cluster.add(), cluster.add()]
    spark = cluster.session("hush")
    assert rows(big_query(spark)) == EXPECTED
    spark.stop()
    for worker in workers:
        address = re.search(r"blocks at (\S+)", worker.log.read_text()).group(1)
        for headers in ([], [("authorization", "Bearer wrong")]):
            with grpc.insecure_channel(address) as channel:
                fetch = channel.unary_unary("/nbaspark.cluster.Worker/Fetch")
                with pytest.raises(grpc.RpcError) as refused:
                    fetch(message(f1=1), metadata=headers, timeout=10)
                assert refused.value.code() == grpc.StatusCode.UNAUTHENTICATED
        assert "hush" not in worker.log.read_text()


def varint(n):
    out = bytearray()
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    return bytes(out + bytes([n]))


def message(**fields):
    """Bytes of a message of cluster.proto: numbers and messages, by f1, f2 …"""
    out = b""
    for name, value in fields.items():
        number = int(name[1:])
        if isinstance(value, bytes):
            out += varint(number << 3 | 2) + varint(len(value)) + value
        else:
            out += varint(number << 3) + varint(value)
    return out


def test_duplicate_and_late_messages(cluster):
    """Reports of attempts that do not run, of workers that are gone, and of tasks that never were."""
    cluster.add()
    cluster.add()
    spark = cluster.session()
    ended = threading.Event()
    sent = [0]

    def talk():
        with grpc.insecure_channel(cluster.address) as channel:
            report = channel.unary_unary("/nbaspark.cluster.Master/Report")
            dice = random.Random(7)
            while not ended.is_set():
                attempt = message(
                    f1=dice.randrange(1, 12),
                    f2=dice.randrange(6),
                    f3=dice.randrange(5),
                    f4=dice.choice([0, 2, 3, 7]),
                )
                report(
                    message(
                        f1=dice.choice([0, 3, 77, 2**31]),
                        f2=attempt,
                        f3=dice.randrange(2),
                        f7=dice.choice([0, 77]),
                        f9=dice.randrange(2),
                    ),
                    timeout=10,
                )
                sent[0] += 1

    talker = threading.Thread(target=talk)
    talker.start()
    try:
        for _ in range(5):
            assert rows(big_query(spark)) == EXPECTED
    finally:
        ended.set()
        talker.join()
    assert sent[0] > 20
    spark.stop()


def written(path):
    return sorted(p.name for p in Path(path).iterdir() if not p.name.startswith((".", "_")))


@pytest.mark.parametrize("delay", [0.02, 0.1, 0.2])
def test_check_8_worker_killed_while_writing(cluster, delay, tmp_path):
    victim = cluster.add()
    cluster.add()
    spark = cluster.session()
    target = str(tmp_path / "out")
    timer = later(delay, cluster.kill, victim)
    spark.range(0, ROWS, 1, 8).withColumn("x", F.col("id") % 7).write.csv(target)
    timer.join()
    assert (Path(target) / "_SUCCESS").exists() and not (Path(target) / "_temporary").exists()
    read = spark.read.csv(target, schema="id bigint, x bigint")
    assert tuple(read.agg(F.count("*"), F.countDistinct("id"), F.sum("id")).collect()[0]) == (
        ROWS,
        ROWS,
        ROWS * (ROWS - 1) // 2,
    )
    spark.stop()


def test_all_workers_killed_is_an_error_or_an_answer(cluster, tmp_path):
    victim = cluster.add()
    spark = cluster.session()
    timer = later(0.05, cluster.kill, victim)
    newcomer = later(1.0, cluster.add)
    assert rows(big_query(spark)) == EXPECTED  # a worker that comes takes over
    timer.join()
    newcomer.join()
    spark.stop()


def test_speculation_takes_over_from_a_stopped_worker(make_cluster):
    """Long before the worker counts as lost, copies of its tasks run elsewhere."""
    cluster = make_cluster(
        conf=f"spark.speculation true\nspark.speculation.quantile 0.5\nspark.worker.timeout {int(60 * SLOW)}s\n"
    )
    victim = cluster.add()
    cluster.add()
    spark = cluster.session()
    files = cluster.path / "in"
    spark.range(0, ROWS, 1, 8).write.parquet(str(files))
    spark.conf.set("nbaspark.cluster.shareBytes", "64k")
    frame = spark.read.parquet(str(files)).select(F.expr("sha2(cast(id as string), 512) t"))
    expected = rows(frame.agg(F.max("t")))
    timer = later(0.05, victim.send_signal, signal.SIGSTOP)
    start = time.monotonic()
    assert rows(frame.agg(F.max("t"))) == expected
    assert time.monotonic() - start < 30 * SLOW
    timer.join()
    victim.send_signal(signal.SIGCONT)
    spark.stop()


def sorted_query(spark):
    """Rows dealt out in turn, then sorted by ranges, some of them compared with a broadcast side."""
    few = spark.range(0, ROWS, 1000).select("id", F.lit(1).alias("hit"))
    return (
        spark.range(0, ROWS, 1, 6)
        .repartition(5)
        .join(few, "id", "left")
        .orderBy(F.desc("id"))
        .select((F.monotonically_increasing_id() % 1).alias("zero"), "id", "hit")
        .agg(F.count("*"), F.count("hit"), F.countDistinct("id"), F.sum("id"), F.sum("zero"))
    )


SORTED = [(ROWS, ROWS // 1000, ROWS, ROWS * (ROWS - 1) // 2, 0)]


def check_written(spark, target, where):
    spark.range(0, ROWS, 1, 6).repartition(4).orderBy("id").write.parquet(str(target))
    got = spark.read.parquet(str(target))
    totals = got.agg(F.count("*"), F.countDistinct("id"), F.sum("id"))
    assert rows(totals) == [(ROWS, ROWS, ROWS * (ROWS - 1) // 2)], where
    assert written(target) and (target / "_SUCCESS").exists(), where
    assert not (target / "_temporary").exists(), where


def test_random_kills(cluster, request, tmp_path):
    """Workers are killed at random moments, and others come."""
    seed = int(os.environ.get("NBASPARK_TEST_SEED", time.time()))
    dice = random.Random(seed)
    rounds = 100 if request.config.getoption("--long") else 6
    for _ in range(3):
        cluster.add()
    spark = cluster.session()
    for number in range(int(os.environ.get("NBASPARK_TEST_ROUNDS", rounds))):
        where = f"seed {seed}, round {number}"
        victims = dice.sample(cluster.workers, dice.choice([1, 1, 2]))
        timers = [later(dice.random() * 0.4, cluster.kill, victim) for victim in victims]
        start = time.monotonic()
        try:
            if number % 3 == 0:
                check_written(spark, tmp_path / f"out{number}", where)
            elif number % 3 == 1:
                assert rows(sorted_query(spark)) == SORTED, where
            else:
                assert rows(big_query(spark)) == EXPECTED, where
        finally:
            for timer in timers:
                timer.join()
        assert time.monotonic() - start < WAIT_S, where
        for _ in victims:
            cluster.add()
    spark.stop()
