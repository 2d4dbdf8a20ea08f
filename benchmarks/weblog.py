# SPDX-License-Identifier: Apache-2.0
"""A made-up log of page views: one table in the order of time, with the skew that such logs have.

    python benchmarks/weblog.py FILE [ROWS]

writes one Parquet file (Snappy, row groups of 250,000 rows). Every value is a hash of its column and row, so the rows are the same on every machine.
Few sites, pages, users and phrases make most of the views (probability of the n-th is about 1/n), most phrases and referrers are empty, and
pages are named by addresses of some 60 to 120 bytes.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from retail import Maker

GROUP = 250_000
FIRST_SECOND = 1_751_328_000  # 2025-07-01
SECONDS = 31 * 86_400
SYLLABLES = "ba ce di fo gu la me ni or pa qui ra se tu va xi zé ção lin mar tor ven".split()
SECTIONS = "news shop forum video maps search profile catalogue help weather auto travel".split()
AGENTS = ["Mozilla/5.0", "Opera/9.80", "Lynx/2.8.9", "curl/8.5.0", "Pagebot/2.1"]
SYSTEMS = ["Windows NT 10.0; Win64; x64", "X11; Linux x86_64", "Macintosh; Intel Mac OS X 10_15", "Linux; Android 14; SM-", "iPhone; CPU iPhone OS 17_"]  # fmt: skip
DEVICES = ["", "", "", "", "", "", "", "iPhone", "iPad", "Galaxy S", "Galaxy A", "Moto G", "Redmi Note", "Pixel"]  # fmt: skip
LANGUAGES = ["pt-BR", "en-US", "es-AR", "de-DE", "fr-FR", "ru-RU", "zh-CN"]
SEARCH = ["google", "bing", "duckduckgo", "yandex", "ecosia"]


def words(n: int, seed: str) -> pa.Array:
    """Make n words of two to four syllables."""
    m = Maker("words", n)
    parts = [m.below(f"{seed}{i}", len(SYLLABLES)) for i in range(4)]
    count = 2 + m.below(f"{seed}n", 3)
    return pa.array(
        ["".join(SYLLABLES[parts[k][i]] for k in range(count[i])) for i in range(n)], pa.string()
    )


WORDS = words(3000, "w")


class View(Maker):
    """Columns of the rows `rows` of the table."""

    def __init__(self, rows: np.ndarray):
        super().__init__("view", len(rows))
        self.rows = rows

    def bits(self, column: str, of: np.ndarray | None = None) -> np.ndarray:
        return super().bits(column, self.rows if of is None else of)

    def zipf(self, column: str, bound: int) -> np.ndarray:
        """Numbers below `bound`, the n-th with probability of about 1/n."""
        u = (self.bits(column) >> np.uint64(11)).astype(np.float64) / 2**53
        return np.minimum(np.exp(u * np.log(bound + 1)).astype(np.int64) - 1, bound - 1)

    def texts(self, column: str, values: list[str], of: np.ndarray) -> pa.Array:
        return pa.array(values).take(pa.array(self.below(column, len(values), of)))

    def word(self, column: str, of: np.ndarray) -> pa.Array:
        return WORDS.take(pa.array(self.below(column, len(WORDS), of)))


def joined(*parts: pa.Array | str) -> pa.Array:
    return pc.binary_join_element_wise(*parts, "")


def where(mask: np.ndarray, then: pa.Array, other: str = "") -> pa.Array:
    return pc.if_else(pa.array(mask), then, other)


def number(values: np.ndarray) -> pa.Array:
    return pa.array(values).cast(pa.string())


def address(m: View, of: np.ndarray, site: np.ndarray) -> pa.Array:
    """The address of page `of` of site `site`, which are numbers."""
    kind = m.below("page kind", 4, of)
    query = where(kind == 1, joined("?id=", number(of % 99_991)))
    query = pc.if_else(pa.array(kind == 2), joined("?q=", m.word("page q", of), "&page=", number(of % 7)), query)  # fmt: skip
    query = pc.if_else(pa.array(kind == 3), ".html", query)
    scheme = m.texts("scheme", ["https://", "https://", "http://"], site)
    www = m.texts("www", ["www.", "", "m."], site)
    host = m.word("host", site)
    top = m.texts("top", [".com.br", ".com", ".net", ".org"], site)
    section = m.texts("section", SECTIONS, of)
    path = joined(m.word("page a", of), "-", m.word("page b", of), "/", number(of))
    return joined(scheme, www, host, top, "/", section, "/", path, query)


def chunk(first: int, n: int, total: int) -> pa.Table:
    m = View(np.arange(first, first + n, dtype=np.int64))
    user = (m.skewed("user", max(total // 3, 1)) * 7919) % max(total // 3, 1)
    site = m.zipf("site", 6000)
    page = m.zipf("page", max(total // 4, 1))
    url = address(m, page, page % 4000)
    # a page of the same site, a search, or nothing
    came = m.below("came", 100)
    from_page = m.zipf("from page", max(total // 5, 1)) + 17
    engine = m.texts("engine", SEARCH, m.rows)
    phrase_id = m.zipf("phrase", max(total // 12, 1))
    phrase = joined(m.word("phrase a", phrase_id), " ", m.word("phrase b", phrase_id), where(phrase_id % 3 > 0, joined(" ", m.word("phrase c", phrase_id))))  # fmt: skip
    searched = (came >= 60) & (came < 74)
    search_url = joined("https://www.", engine, ".com/search?q=", phrase)
    referer = where((came < 45), address(m, from_page, from_page % 4000))
    referer = pc.if_else(pa.array(searched), search_url, referer)
    second = (m.rows * SECONDS) // total + m.below("late", 1800) - 900
    second = np.clip(second, 0, SECONDS - 1) + FIRST_SECOND
    agent_of = m.zipf("agent", 4000)
    agent = joined(m.texts("agent a", AGENTS, agent_of), " (", m.texts("agent s", SYSTEMS, agent_of), number(agent_of % 100), ") Gecko/2010", number(agent_of % 13), " Version/", number(agent_of % 31), ".", number(agent_of))  # fmt: skip
    mobile = m.below("device", 14, user) >= 7
    device = pc.replace_substring(m.texts("device", DEVICES, user), "S", "S2")
    device = where(mobile, joined(device, " ", number(user % 23)))
    title_id = page // 3
    title = joined(m.word("t a", title_id), " ", m.word("t b", title_id), " ", m.word("t c", title_id), " – ", m.word("t d", title_id), " ", m.texts("t e", SECTIONS, title_id))  # fmt: skip
    width = np.array([1920, 1366, 1536, 390, 412, 1440, 2560, 0])[m.below("width", 8, user)]

    def i64(values: np.ndarray) -> pa.Array:
        return pa.array(values.astype(np.int64))

    def i32(values: np.ndarray) -> pa.Array:
        return pa.array(values.astype(np.int32))

    def i16(values: np.ndarray) -> pa.Array:
        return pa.array(values.astype(np.int16))

    def rare(column: str, one_in: int, bound: int) -> np.ndarray:
        return np.where(m.nulls(column, one_in), 1 + m.below(column, bound), 0)

    return pa.table(
        {
            "view_id": i64(m.bits("view").astype(np.int64)),
            "event_time": pa.array(second * 1_000_000, pa.timestamp("us")),
            "event_date": pa.array((second // 86_400).astype(np.int32), pa.date32()),
            "site_id": i32(site * 37 % 6007),
            "user_id": i64(m.bits("user id", user).astype(np.int64)),
            "session_id": i64(user * 64 + m.below("session", 5)),
            "region_id": i32(m.skewed("region", 5000, user)),
            "ip": i32(m.bits("ip", user + m.below("moved", 2) * 1000) >> np.uint64(33)),
            "os": i16(m.below("os", 40, user)),
            "browser": i16(m.zipf("browser", 60)),
            "browser_version": i16(m.below("version", 25)),
            "user_agent": agent,
            "is_mobile": i16(mobile),
            "device_model": device,
            "device_kind": i16(m.below("device", 14, user) // 5),
            "language": m.texts("language", LANGUAGES, user),
            "title": title,
            "url": url,
            "url_hash": i64(m.bits("url hash", page).astype(np.int64)),
            "referer": referer,
            "referer_hash": i64(m.bits("url hash", from_page).astype(np.int64)),
            "search_engine": i16(np.where(searched, 1 + m.below("engine", len(SEARCH)), 0)),
            "search_phrase": where(searched, phrase),
            "ad_engine": i16(rare("ad", 120, 20)),
            "traffic_source": i16(m.below("source", 9) - 1),
            "width": i16(width),
            "height": i16(width * 9 // 16),
            "window_width": i16(np.maximum(width - m.below("border", 40), 0)),
            "age": i16(m.below("age", 7, user) * 10),
            "sex": i16(m.below("sex", 3, user)),
            "interests": i32(m.bits("interests", user) >> np.uint64(40)),
            "is_refresh": i16(m.nulls("refresh", 8)),
            "is_link": i16(rare("link", 12, 1)),
            "is_download": i16(rare("download", 80, 1)),
            "is_bounce": i16(rare("bounce", 3, 1)),
            "not_counted": i16(rare("not counted", 20, 1)),
            "scroll_depth": i16(m.below("scroll", 101)),
            "dns_ms": i32(rare("dns", 3, 400)),
            "connect_ms": i32(rare("connect", 3, 900)),
            "response_ms": i32(m.skewed("response", 20_000)),
            "render_ms": i32(m.skewed("render", 9_000)),
            "paid_cents": i64(rare("paid", 60, 50_000)),
            "utm_source": where(
                m.nulls("utm", 15),
                m.texts("utm s", ["mail", "feed", "banner", "affiliate"], m.rows),
            ),  # fmt: skip
            "utm_campaign": where(
                m.nulls("utm", 15), joined(m.word("campaign", m.zipf("campaign", 300)), "-2025")
            ),  # fmt: skip
        }
    )


def write(path: Path, rows: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    writer = None
    for first in range(0, rows, GROUP):
        table = chunk(first, min(GROUP, rows - first), rows)
        if writer is None:
            writer = pq.ParquetWriter(new, table.schema, compression="snappy")
        writer.write_table(table, row_group_size=GROUP)
    if writer is not None:
        writer.close()
    new.replace(path)


if __name__ == "__main__":
    write(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 10_000_000)
