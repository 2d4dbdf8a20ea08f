# SPDX-License-Identifier: Apache-2.0
"""Analysis of a web log beside other engines: ./dev bench bench_weblog [--rows 10000000] [--peers duckdb,polars,datafusion] [--save]

One table of page views (weblog.py; 10 M rows are 1 GB of Parquet, made once under build/bench) and 43 queries of our own in the shapes of
such work: counts and sums over everything, few groups, millions of groups, long strings as keys, distinct counts, substrings, patterns, the first
rows of an order, wide rows, one site's pages of a month. Rows are compared with DuckDB's of the same run, so each LIMIT has a full order.
"""

from __future__ import annotations

import argparse

import engines
import weblog

SUMS = ", ".join(f"sum(width + {i}) AS s{i}" for i in range(90))
SITE = (
    "site_id = 37 AND event_date >= DATE '2025-07-01' AND event_date <= DATE '2025-07-31' "
    "AND not_counted = 0"
)


def pattern(text: str) -> dict[str, str]:
    """A query with $1 in a replacement, which other dialects write \\1."""
    return {"spark": text, "": text.replace("$1", r"\1"), "polars": text.replace("$1", "${1}")}


def top(keys: str, what: str = "count(*) AS n", condition: str = "", limit: str = "10") -> str:
    """The groups with the largest `n`, in a full order."""
    where = f" WHERE {condition}" if condition else ""
    return f"SELECT {keys}, {what} FROM hits{where} GROUP BY {keys} ORDER BY n DESC, {keys} LIMIT {limit}"


QUERIES: dict[str, engines.Query] = {
    "1": "SELECT count(*) AS n FROM hits",
    "2": "SELECT count(*) AS n FROM hits WHERE ad_engine <> 0",
    "3": "SELECT sum(ad_engine) AS a, count(*) AS n, avg(width) AS w FROM hits",
    "4": "SELECT avg(user_id) AS a FROM hits",
    "5": "SELECT count(DISTINCT user_id) AS n FROM hits",
    "6": "SELECT count(DISTINCT search_phrase) AS n FROM hits",
    "7": "SELECT min(event_date) AS a, max(event_date) AS b FROM hits",
    "8": "SELECT ad_engine, count(*) AS n FROM hits WHERE ad_engine <> 0 GROUP BY ad_engine ORDER BY n DESC, ad_engine",
    "9": top("region_id", "count(DISTINCT user_id) AS n"),
    "10": top(
        "region_id",
        "sum(ad_engine) AS a, count(*) AS n, avg(width) AS w, count(DISTINCT user_id) AS u",
    ),
    "11": top("device_model", "count(DISTINCT user_id) AS n", "device_model <> ''"),
    "12": top("device_kind, device_model", "count(DISTINCT user_id) AS n", "device_model <> ''"),
    "13": top("search_phrase", condition="search_phrase <> ''"),
    "14": top("search_phrase", "count(DISTINCT user_id) AS n", "search_phrase <> ''"),
    "15": top("search_engine, search_phrase", condition="search_phrase <> ''"),
    "16": top("user_id"),
    "17": top("user_id, search_phrase"),
    "18": "SELECT user_id, search_phrase, count(*) AS n FROM hits GROUP BY user_id, search_phrase "
    "HAVING count(*) > 24 ORDER BY user_id, search_phrase LIMIT 10",
    "19": "SELECT user_id, extract(minute FROM event_time) AS m, search_phrase, count(*) AS n FROM hits "
    "GROUP BY user_id, extract(minute FROM event_time), search_phrase ORDER BY n DESC, user_id, m, search_phrase LIMIT 10",
    "20": "SELECT user_id, view_id FROM hits WHERE user_id = 435090932899640449 ORDER BY view_id",
    "21": "SELECT count(*) AS n FROM hits WHERE url LIKE '%google%' OR referer LIKE '%google%'",
    "22": "SELECT search_phrase, min(url) AS u, count(*) AS n FROM hits WHERE url LIKE '%vence%' AND search_phrase <> '' "
    "GROUP BY search_phrase ORDER BY n DESC, search_phrase LIMIT 10",
    "23": "SELECT search_phrase, min(url) AS u, min(title) AS t, count(*) AS n, count(DISTINCT user_id) AS d FROM hits "
    "WHERE title LIKE '%catalogue%' AND url NOT LIKE '%.com%' AND search_phrase <> '' "
    "GROUP BY search_phrase ORDER BY n DESC, search_phrase LIMIT 10",
    "24": "SELECT * FROM hits WHERE url LIKE '%vence%' ORDER BY event_time, view_id LIMIT 10",
    "25": "SELECT search_phrase, event_time, view_id FROM hits WHERE search_phrase <> '' ORDER BY event_time, view_id LIMIT 10",
    "26": "SELECT search_phrase, view_id FROM hits WHERE search_phrase <> '' ORDER BY search_phrase, view_id LIMIT 10",
    "27": "SELECT search_phrase, event_time FROM hits WHERE search_phrase <> '' ORDER BY event_time, search_phrase, view_id LIMIT 10",
    "28": "SELECT site_id, avg(length(url)) AS l, count(*) AS n FROM hits WHERE url <> '' GROUP BY site_id "
    "HAVING count(*) > 5000 ORDER BY l DESC, site_id LIMIT 25",
    "29": pattern(
        "SELECT regexp_replace(referer, '^https?://(?:www[.])?([^/]+)/.*$', '$1') AS k, avg(length(referer)) AS l, count(*) AS n, "
        "min(referer) AS r FROM hits WHERE referer <> '' GROUP BY regexp_replace(referer, '^https?://(?:www[.])?([^/]+)/.*$', '$1') "
        "HAVING count(*) > 5000 ORDER BY l DESC, k LIMIT 25"
    ),
    "30": f"SELECT {SUMS} FROM hits",
    "31": top(
        "search_engine, ip",
        "count(*) AS n, sum(is_refresh) AS r, avg(width) AS w",
        "search_phrase <> ''",
    ),
    "32": top(
        "view_id, ip", "count(*) AS n, sum(is_refresh) AS r, avg(width) AS w", "search_phrase <> ''"
    ),
    "33": top("view_id, ip", "count(*) AS n, sum(is_refresh) AS r, avg(width) AS w"),
    "34": top("url"),
    "35": "SELECT 1 AS one, url, count(*) AS n FROM hits GROUP BY 1, url ORDER BY n DESC, url LIMIT 10",
    "36": "SELECT ip, ip - 1 AS a, ip - 2 AS b, ip - 3 AS c, count(*) AS n FROM hits GROUP BY ip, ip - 1, ip - 2, ip - 3 "
    "ORDER BY n DESC, ip LIMIT 10",
    "37": top("url", condition=f"{SITE} AND is_refresh = 0 AND url <> ''"),
    "38": top("title", condition=f"{SITE} AND is_refresh = 0 AND title <> ''"),
    "39": top(
        "url", condition=f"{SITE} AND is_refresh = 0 AND is_link <> 0", limit="10 OFFSET 100"
    ),
    "40": "SELECT traffic_source, search_engine, ad_engine, CASE WHEN search_engine = 0 AND ad_engine = 0 THEN referer ELSE '' END AS src, "
    f"url AS dst, count(*) AS n FROM hits WHERE {SITE} AND is_refresh = 0 GROUP BY traffic_source, search_engine, ad_engine, "
    "CASE WHEN search_engine = 0 AND ad_engine = 0 THEN referer ELSE '' END, url "
    "ORDER BY n DESC, traffic_source, search_engine, ad_engine, src, dst LIMIT 10 OFFSET 100",
    "41": top(
        "url_hash, event_date",
        condition=f"{SITE} AND is_refresh = 0 AND traffic_source IN (-1, 6)",
        limit="10 OFFSET 50",
    ),
    "42": top("window_width, height", condition=f"{SITE} AND is_refresh = 0", limit="10 OFFSET 20"),
    "43": "SELECT date_trunc('minute', event_time) AS m, count(*) AS n FROM hits WHERE site_id = 37 AND event_date >= DATE '2025-07-14' "
    "AND event_date <= DATE '2025-07-15' AND not_counted = 0 GROUP BY date_trunc('minute', event_time) ORDER BY m LIMIT 10 OFFSET 1000",
}


def suite(given: argparse.Namespace) -> engines.Suite:
    path = engines.PLACE / f"weblog-{given.rows}.parquet"
    if not path.exists():
        print(f"making {path.name}", flush=True)
        weblog.write(path, given.rows)
    tables = {"hits": {"format": "parquet", "path": str(path)}}
    about = f"{given.rows:,} page views of 44 columns in Parquet (Snappy), made by `benchmarks/weblog.py`, and 43 queries of our own."
    return engines.Suite("weblog", "Web log", tables, QUERIES, about)


def arguments() -> argparse.ArgumentParser:
    parser = engines.arguments(__doc__ or "", "duckdb,polars,datafusion")
    parser.add_argument("--rows", type=int, default=10_000_000)
    return parser


if __name__ == "__main__":
    engines.main(suite, arguments())
