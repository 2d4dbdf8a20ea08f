# SPDX-License-Identifier: Apache-2.0
"""window(), session_window() and window_time(), in SQL and by functions, with times of null, before 1970 and around summer time."""

import datetime

TIMES = (
    "VALUES (timestamp'2024-01-01 00:07:00', 1), (timestamp'2024-01-01 00:17:30', 2), "
    "(timestamp'2024-01-01 00:18:00', 3), (CAST(NULL AS TIMESTAMP), 4), "
    "(timestamp'2024-01-01 00:23:00', 5) t(ts, v)"
)
HOUR = "(SELECT window, sum(v) s FROM TIMES GROUP BY window(ts, '10 minutes'))"

STATEMENTS = [
    "SELECT window, sum(v) FROM TIMES GROUP BY window(ts, '10 minutes') ORDER BY window",
    "SELECT window.start, sum(v) FROM TIMES GROUP BY window(ts, '10 minutes', '5 minutes') "
    "ORDER BY 1",
    "SELECT window(ts, '10 minutes') w, sum(v) s FROM TIMES GROUP BY window(ts, '10 minutes') "
    "ORDER BY 1",
    "SELECT window(ts, '10 minutes').start w, sum(v) s FROM TIMES "
    "GROUP BY window(ts, '10 minutes') ORDER BY 1",
    "SELECT window(ts, '10 minutes').start FROM TIMES ORDER BY 1",
    "SELECT window(ts, '10 minutes', '10 minutes', '2 minutes') w, v FROM TIMES ORDER BY v",
    "SELECT window(ts, '10 minutes', '4 minutes') w, v FROM TIMES ORDER BY v, w",
    "SELECT window(ts, '10 minutes', '5 minutes', '-3 minutes') w, v FROM TIMES ORDER BY v, w",
    "SELECT *, window(ts, '10 minutes') FROM TIMES ORDER BY v",
    "SELECT window(ts, '10 minutes'), * FROM TIMES ORDER BY v",
    "SELECT window(ts, '1 day 10 hours 5 seconds') w, v FROM TIMES ORDER BY v",
    "SELECT window(ts, '1 week') w, v FROM TIMES ORDER BY v",
    "SELECT window(ts, 600000000L) w, v FROM TIMES ORDER BY v",
    "SELECT window(CAST(ts AS timestamp_ntz), '10 minutes') w, v FROM TIMES ORDER BY v",
    "SELECT window(CAST(ts AS date), '1 day') w, v FROM TIMES ORDER BY v",
    "SELECT window('2024-01-01 01:02:03', '1 day') w ORDER BY 1",
    "SELECT window(ts, '10 minutes') a, window(ts, '10 minutes') b FROM TIMES ORDER BY 1",
    "SELECT window(ts, '10 minutes') w, v % 2 p, sum(v) s FROM TIMES "
    "GROUP BY CUBE(window(ts, '10 minutes'), v % 2) ORDER BY 1, 2",
    "SELECT sum(v) s, window.end FROM TIMES GROUP BY window(ts, '10 minutes') "
    "HAVING sum(v) > 1 ORDER BY window.start",
    "SELECT window(ts, '10 minutes') w, sum(v) s FROM TIMES GROUP BY w ORDER BY 1",
    "SELECT window(ts, '10 minutes') w, sum(v) s FROM TIMES GROUP BY 1 ORDER BY 1",
    "SELECT window(ts, '10 minutes') w, sum(v) s FROM TIMES GROUP BY ALL ORDER BY 1",
    "SELECT sum(v) OVER (PARTITION BY window(ts, '10 minutes') ORDER BY v) s, v FROM TIMES "
    "ORDER BY v",
    "SELECT session_window, sum(v), count(*) c FROM TIMES GROUP BY session_window(ts, '5 minutes') "
    "ORDER BY 1",
    "SELECT v % 2 k, session_window(ts, '5 minutes') w, sum(v), count(DISTINCT v) c FROM TIMES "
    "GROUP BY v % 2, session_window(ts, '5 minutes') ORDER BY 1, 2",
    "SELECT session_window.start, sum(v) FROM TIMES GROUP BY session_window(ts, "
    "CASE WHEN v = 2 THEN '10 seconds' ELSE '2 minutes' END) ORDER BY 1",
    "SELECT session_window(ts, '-5 minutes') w, count(*) FROM TIMES GROUP BY 1 ORDER BY 1",
    "SELECT session_window(ts, 'x') w, count(*) FROM TIMES GROUP BY 1 ORDER BY 1",
    "SELECT session_window(ts, '5 minutes') w FROM TIMES ORDER BY 1",
    "SELECT session_window(timestamp_seconds(id), '2 seconds') w, count(*) FROM range(4) "
    "GROUP BY 1 ORDER BY 1",
    "SELECT session_window(timestamp_seconds(id - id % 7), '2 seconds').start s, sum(DISTINCT id) "
    "FROM range(40) GROUP BY session_window(timestamp_seconds(id - id % 7), '2 seconds') "
    "ORDER BY 1",
    "SELECT window_time(window) t, s FROM HOUR ORDER BY 1",
    "SELECT window_time(window(ts, '10 minutes')) FROM TIMES ORDER BY 1",
    "SELECT window(window_time(window), '1 hour') t, sum(s) FROM HOUR GROUP BY 1 ORDER BY 1",
    "SELECT window(window, '1 hour') t, sum(s) FROM HOUR GROUP BY window(window, '1 hour') "
    "ORDER BY 1",
    "SELECT window(v, '1 day') FROM TIMES",
    "SELECT window(ts, '1 month') FROM TIMES",
    "SELECT window(ts, 'bad') FROM TIMES",
    "SELECT window(ts, '-1 minute') FROM TIMES",
    "SELECT window(ts, '10 minutes', '20 minutes') FROM TIMES",
    "SELECT window(ts, '10 minutes', '0 minutes') FROM TIMES",
    "SELECT window(ts, '10 minutes', '5 minutes', '7 minutes') FROM TIMES",
    "SELECT window(ts, v) FROM TIMES",
    "SELECT window(ts) FROM TIMES",
    "SELECT window(ts, INTERVAL '10' MINUTE) FROM TIMES",
    "SELECT window(ts, '10 minutes'), window(ts, '5 minutes') FROM TIMES",
    "SELECT count(*) FROM TIMES GROUP BY window(ts, '10 minutes'), window(ts, '5 minutes')",
    "SELECT session_window(v, '5 minutes'), count(*) FROM TIMES GROUP BY 1",
    "SELECT session_window(ts, v), count(*) FROM TIMES GROUP BY 1",
    "SELECT window_time(ts) FROM TIMES",
    "SELECT v FROM TIMES WHERE window(ts, '10 minutes').start > timestamp'2024-01-01 00:05:00'",
]


def _frame(spark):
    at = datetime.datetime
    rows = [
        (at(2024, 3, 31, 0, 30), 1),
        (at(2024, 3, 31, 1, 30), 2),
        (at(2024, 10, 27, 0, 30), 3),
        (at(2024, 10, 27, 1, 30), 4),
        (None, 5),
        (at(1960, 1, 1), 6),
    ]
    return spark.createDataFrame(rows, "ts timestamp, v int")


def _zoned(zone, build):
    def case(s, F, W):
        before = s.conf.get("spark.sql.session.timeZone")
        s.conf.set("spark.sql.session.timeZone", zone)
        try:
            return [repr(r) for r in build(_frame(s), F).collect()]
        finally:
            s.conf.set("spark.sql.session.timeZone", before)

    return case


def _total(F):
    return F.sum("v").alias("s")


PROGRAMS = {
    "days": lambda d, F: (
        d.groupBy(F.window("ts", "1 day"))
        .agg(_total(F))
        .select(F.col("window.start").cast("string"), F.col("window.end").cast("string"), "s")
        .orderBy("s")
    ),
    "a name": lambda d, F: (
        d.groupBy(F.window("ts", "1 hour").alias("w"))
        .agg(_total(F))
        .select(F.col("w.start").cast("string"), "s")
        .orderBy("s")
    ),
    "two keys": lambda d, F: (
        d.groupBy(F.window("ts", "1 hour", "30 minutes"), "v")
        .count()
        .select(F.col("window.start").cast("string").alias("w"), "v", "count")
        .orderBy("v", "w")
    ),
    "withColumn": lambda d, F: (
        d.withColumn("w", F.window("ts", "1 hour")).select("v", F.col("w").cast("string"))
    ).orderBy("v"),
    "offset": lambda d, F: (
        d.groupBy(F.window("ts", "1 hour", startTime="15 minutes"))
        .count()
        .select(F.col("window").cast("string"), "count")
        .orderBy(F.col("window").cast("string"))
    ),
    "sessions": lambda d, F: (
        d.groupBy(F.session_window("ts", "2 hours"))
        .agg(_total(F))
        .select(F.col("session_window").cast("string").alias("w"), "s")
        .orderBy("w")
    ),
    "gaps as columns": lambda d, F: (
        d.groupBy(F.session_window("ts", F.expr("CASE WHEN v < 3 THEN '30 minutes' END")))
        .agg(_total(F))
        .select(F.col("session_window").cast("string").alias("w"), "s")
        .orderBy("w")
    ),
    "times": lambda d, F: (
        d.groupBy(F.window("ts", "1 hour"))
        .agg(_total(F))
        .select(F.window_time("window").cast("string").alias("t"), "s")
        .orderBy("s")
    ),
    "pivot": lambda d, F: (
        d.groupBy(F.window("ts", "1 day"))
        .pivot("v", [1, 2])
        .count()
        .select(F.col("window").cast("string").alias("w"), "1", "2")
        .orderBy("w")
    ),
}


def _sql(text):
    full = text.replace("HOUR", HOUR).replace("TIMES", TIMES)
    return lambda s, F, W: s.sql(full)


CASES = {
    **{text: _sql(text) for text in STATEMENTS},
    **{
        f"{name} in {zone}": _zoned(zone, build)
        for zone in ("UTC", "Europe/Berlin")
        for name, build in PROGRAMS.items()
    },
}
