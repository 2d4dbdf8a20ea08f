# SPDX-License-Identifier: Apache-2.0
"""A retailer's star schema with made-up rows: shops, a web site and a printed catalogue sell the same products to the same clients.

    python benchmarks/retail.py FOLDER [SCALE]

writes one Parquet file per table. Scale 1 has about 2.9 million sold items in shops, 1.4 in the catalogue and 0.7 on the web; the tests use 0.001.
Rows depend on the scale only: every value is a hash of its table, column and row, so they are the same on every machine and with every version
of NumPy. Facts point at dimensions by id; some foreign keys are null, some dimension rows are never named, popular products and clients are
named more often, a return names the sale that it undoes.
"""

from __future__ import annotations

import datetime
import sys
import zlib
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet as pq

FIRST_DAY = datetime.date(2019, 1, 1)
N_DAYS = 1826  # five years
FIRST_ID = 7000  # of days, so that they are no row numbers
HOLIDAYS = {(1, 1): "New Year", (5, 1): "Labour Day", (12, 24): "Eve", (12, 25): "Christmas"}
CATEGORIES = {
    "Books": ["cookery", "fiction", "history", "travel"],
    "Garden": ["furniture", "seeds", "tools"],
    "Music": ["classical", "folk", "jazz", "rock"],
    "Shoes": ["boots", "sandals", "trainers"],
    "Sports": ["camping", "cycling", "rowing"],
    "Toys": ["board games", "dolls", "kites"],
}
STATES = ["AC", "BA", "CE", "MG", "PR", "RJ", "RS", "SP"]
CITIES = ["Alto Verde", "Boa Vista", "Campo Novo", "Lagoa", "Porto", "São Miguel", "Vila Rica"]
FIRST = ["Ana", "Bruno", "Carla", "Davi", "Elisa", "Fábio", "Gil", "Helena", "Ivo", "Júlia"]
LAST = ["Alves", "Barros", "Costa", "Dias", "Esteves", "Farias", "Gomes", "Lima", "O'Hara"]
COLOURS = ["blue", "green", "ochre", "red", "white", None]


def _mix(x: np.ndarray) -> np.ndarray:
    """Spread the bits of unsigned 64-bit integers (the finaliser of SplitMix64)."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


class Maker:
    """Columns of one table: `n` rows, each value a hash of the column's name and the row's number."""

    def __init__(self, table: str, n: int):
        self.table = table
        self.n = n

    def bits(self, column: str, of: np.ndarray | None = None) -> np.ndarray:
        seed = np.uint64(zlib.crc32(f"{self.table}.{column}".encode()))
        rows = np.arange(self.n, dtype=np.uint64) if of is None else of.astype(np.uint64)
        return _mix(rows * np.uint64(0x9E3779B97F4A7C15) + (seed << np.uint64(20)))

    def below(self, column: str, bound: int, of: np.ndarray | None = None) -> np.ndarray:
        return (self.bits(column, of) % np.uint64(bound)).astype(np.int64)

    def skewed(self, column: str, bound: int, of: np.ndarray | None = None) -> np.ndarray:
        """Small numbers more often: the product of two uniform numbers."""
        b = self.bits(column, of)
        u = (b >> np.uint64(32)).astype(np.float64) / 2**32
        v = (b & np.uint64(0xFFFFFFFF)).astype(np.float64) / 2**32
        return np.minimum((u * v * bound).astype(np.int64), bound - 1)

    def nulls(self, column: str, one_in: int) -> np.ndarray:
        return self.below(f"{column}?", one_in) == 0

    def pick(self, column: str, values: list, of: np.ndarray | None = None) -> list:
        return [values[i] for i in self.below(column, len(values), of)]


def ids(values: np.ndarray, mask: np.ndarray | None = None) -> pa.Array:
    return pa.array(values.astype(np.int32), mask=mask)


def money(cents: np.ndarray, digits: int = 9, mask: np.ndarray | None = None) -> pa.Array:
    """Decimals of two places from integers."""
    whole = pa.array(cents.astype(np.int64)).cast(pa.decimal128(19, 0))
    words = np.frombuffer(whole.buffers()[1], dtype=np.int64)
    made = pa.Array.from_buffers(
        pa.decimal128(digits, 2), len(cents), [None, pa.py_buffer(words.tobytes())]
    )
    if mask is None:
        return made
    return pa.compute.if_else(pa.array(mask), pa.scalar(None, made.type), made)


def calendar() -> pa.Table:
    days = [FIRST_DAY + datetime.timedelta(i) for i in range(N_DAYS)]
    return pa.table(
        {
            "day_id": ids(np.arange(N_DAYS) + FIRST_ID),
            "day": pa.array(days, pa.date32()),
            "year": ids(np.array([d.year for d in days])),
            "quarter": ids(np.array([(d.month + 2) // 3 for d in days])),
            "month": ids(np.array([d.month for d in days])),
            "month_no": ids(np.array([d.year * 12 + d.month - 1 for d in days])),
            "week_no": ids(np.array([(i + 1) // 7 for i in range(N_DAYS)])),
            "weekday": pa.array([d.strftime("%A") for d in days]),
            "is_weekend": pa.array([d.weekday() >= 5 for d in days]),
            "holiday": pa.array([HOLIDAYS.get((d.month, d.day)) for d in days]),
        }
    )


def product(n: int) -> pa.Table:
    m = Maker("product", n)
    classes = [(c, k) for c, of in CATEGORIES.items() for k in of]
    which = m.below("class", len(classes))
    price = 199 + m.below("price", 30000)
    since = m.below("since", 1500)
    return pa.table(
        {
            "product_id": ids(np.arange(n) + 1),
            "sku": pa.array(
                [f"{'KLMN'[i % 4]}-{i:05d}{'%' if i % 9 == 0 else '_X'}" for i in range(n)]
            ),
            "title": pa.array([f"{classes[c][1]} no {i % 97}" for i, c in enumerate(which)]),
            "brand": pa.array([f"brand {b:02d}" for b in m.skewed("brand", 25)]),
            "category": pa.array([classes[c][0] for c in which]),
            "class": pa.array([classes[c][1] for c in which]),
            "colour": pa.array(m.pick("colour", COLOURS)),
            "maker_id": ids(m.skewed("maker", 40)),
            "price": money(price, 7),
            "cost": money(price * (40 + m.below("cost", 50)) // 100, 7),
            "weight": pa.array(m.below("weight", 5000) / 8.0, mask=m.nulls("weight", 15)),
            "offered_from": pa.array(
                [FIRST_DAY + datetime.timedelta(int(d) - 900) for d in since], pa.date32()
            ),
        }
    )


def address(n: int) -> pa.Table:
    m = Maker("address", n)
    return pa.table(
        {
            "address_id": ids(np.arange(n) + 1),
            "street": pa.array(
                [f"Rua {a} {b}" for a, b in zip(m.below("street", 60), m.below("no", 900))]
            ),
            "city": pa.array(m.pick("city", CITIES)),
            "state": pa.array(m.pick("state", STATES), mask=m.nulls("state", 25)),
            "zip": pa.array([f"{z:05d}" for z in m.below("zip", 400) * 211]),
            "hours_off": money(m.below("zone", 3) * 50 - 400, 4),
        }
    )


def profile() -> pa.Table:
    n = 160
    i = np.arange(n)
    return pa.table(
        {
            "profile_id": ids(i + 1),
            "gender": pa.array([("F", "M")[k % 2] for k in i]),
            "marital": pa.array(
                [("single", "married", "divorced", "widowed")[k // 2 % 4] for k in i]
            ),
            "education": pa.array(
                [("school", "college", "degree", "doctorate")[k // 8 % 4] for k in i]
            ),
            "dependants": ids(i // 32),
            "income_from": ids(i // 16 * 1000),
        }
    )


def client(n: int, n_addresses: int) -> pa.Table:
    m = Maker("client", n)
    born = m.below("born", 20000)
    return pa.table(
        {
            "client_id": ids(np.arange(n) + 1),
            "first_name": pa.array(m.pick("first", FIRST), mask=m.nulls("first", 30)),
            "last_name": pa.array(m.pick("last", LAST)),
            "born": pa.array(
                [datetime.date(1940, 1, 1) + datetime.timedelta(int(d)) for d in born],
                pa.date32(),
                mask=m.nulls("born", 20),
            ),
            "email": pa.array(
                [f"c{i}@{'shop' if i % 3 else 'mail_' + str(i % 5)}.example" for i in range(n)]
            ),
            "address_id": ids(m.below("address", n_addresses) + 1),
            "profile_id": ids(m.below("profile", 160) + 1, m.nulls("profile", 18)),
            "since_id": ids(m.below("since", N_DAYS) + FIRST_ID),
        }
    )


def shop(n: int) -> pa.Table:
    m = Maker("shop", n)
    return pa.table(
        {
            "shop_id": ids(np.arange(n) + 1),
            "name": pa.array([f"shop {'ABCDEFGHIJ'[i % 10]}{i // 10 or ''}" for i in range(n)]),
            "state": pa.array(m.pick("state", STATES[:5])),
            "area": ids(100 + m.below("area", 40) * 25),
            "manager": pa.array(
                [f"{a} {b}" for a, b in zip(m.pick("a", FIRST), m.pick("b", LAST))]
            ),
            "closed_id": ids(FIRST_ID + m.below("closed", N_DAYS), m.below("open", 3) != 0),
        }
    )


def small_tables(n_promos: int) -> dict[str, pa.Table]:
    m = Maker("promo", n_promos)
    starts = m.below("start", N_DAYS - 60)
    return {
        "promo": pa.table(
            {
                "promo_id": ids(np.arange(n_promos) + 1),
                "name": pa.array([f"promo {i}" for i in range(n_promos)]),
                "by_mail": pa.array((np.arange(n_promos) % 3 == 0).tolist()),
                "by_radio": pa.array((np.arange(n_promos) % 2 == 0).tolist()),
                "first_id": ids(FIRST_ID + starts),
                "last_id": ids(FIRST_ID + starts + 10 + m.below("days", 50)),
                "budget": money(m.below("budget", 10**6), 12),
            }
        ),
        "reason": pa.table(
            {
                "reason_id": ids(np.arange(6) + 1),
                "reason": pa.array(["broken", "late", "wrong size", "gift", "other", "never used"]),
            }
        ),
        "depot": pa.table(
            {
                "depot_id": ids(np.arange(5) + 1),
                "name": pa.array(["North", "South", "East", "West", None]),
                "state": pa.array(["AC", "RS", "BA", "SP", "MG"]),
                "area": ids(np.array([5000, 12000, 800, 4000, 650])),
            }
        ),
        "carrier": pa.table(
            {
                "carrier_id": ids(np.arange(4) + 1),
                "carrier": pa.array(["Andorinha", "Correio", "Expressa", "Veloz"]),
                "kind": pa.array(["air", "road", "air", "rail"]),
            }
        ),
        "site": pa.table(
            {
                "site_id": ids(np.arange(3) + 1),
                "url": pa.array(["loja", "outlet", "b2b"]),
                "opened": pa.array([FIRST_DAY] * 3, pa.date32()),
            }
        ),
    }


def sales(channel: str, n: int, sizes: dict[str, int]) -> tuple[dict, dict]:
    """Return the columns of a channel's sales and those of its returns, before they have their names."""
    m = Maker(channel, n)
    order = np.arange(n) // 3 + np.where(
        np.arange(n) % 7 == 0, 1, 0
    )  # some two to four lines per order
    price_of = np.asarray(sizes["prices"])
    product_id = m.skewed("product", sizes["product"])
    quantity = 1 + m.below("quantity", 20)
    listed = price_of[product_id]
    unit = listed * (60 + m.below("unit", 41, order)) // 100
    discount = np.where(
        m.below("discounted", 4) == 0, unit * quantity * m.below("discount", 30) // 100, 0
    )
    # more is sold before Christmas: a third of the days is moved to the last weeks of its year
    day = m.below("day", N_DAYS, order)
    late = m.below("late", 3, order) == 0
    day = np.where(late, np.minimum(day // 365 * 365 + 320 + day % 45, N_DAYS - 1), day)
    client_id = 1 + m.skewed("client", sizes["client"], order)
    cost = listed * 55 // 100
    sold = {
        "day": FIRST_ID + day,
        "product": 1 + product_id,
        "client": client_id,
        "promo": 1 + m.below("promo", sizes["promo"]),
        "order": 1 + order,
        "quantity": quantity,
        "unit": unit,
        "discount": discount,
        "amount": unit * quantity - discount,
        "profit": (unit - cost) * quantity - discount,
    }
    back = np.flatnonzero(m.below("returned", 9) == 0)
    some = {name: values[back] for name, values in sold.items()}
    kept = m.below("kept", 4, back)
    returned = {
        **some,
        "day": np.minimum(some["day"] + 1 + m.below("after", 60, back), FIRST_ID + N_DAYS - 1),
        "quantity": np.maximum(some["quantity"] - kept, 1),
        "reason": 1 + m.below("reason", 5, back),
    }
    returned["refund"] = some["amount"] * returned["quantity"] // some["quantity"]
    returned["client"] = np.where(
        m.below("other", 12, back) == 0, 1 + m.below("who", sizes["client"], back), some["client"]
    )
    return sold, returned


def facts(channel: str, n: int, sizes: dict[str, int]) -> tuple[pa.Table, pa.Table]:
    m = Maker(f"{channel} more", n)
    sold, back = sales(channel, n, sizes)
    order = sold["order"]
    number = "ticket_no" if channel == "shop" else "order_no"
    table = {
        "day_id": ids(sold["day"], m.nulls("day", 40)),
        "product_id": ids(sold["product"]),
        "client_id": ids(sold["client"], m.nulls("client", 30)),
    }
    if channel == "shop":
        table["shop_id"] = ids(1 + m.below("shop", sizes["shop"], order), m.nulls("shop", 50))
        table["minute"] = ids(480 + m.below("minute", 780, order))
    else:
        table["ship_client_id"] = ids(
            np.where(m.below("gift", 8) == 0, 1 + m.below("to", sizes["client"]), sold["client"])
        )
        table["ship_day_id"] = ids(sold["day"] + 1 + m.below("wait", 130), m.nulls("ship", 35))
        table["carrier_id"] = ids(1 + m.below("carrier", 4))
        table["depot_id"] = ids(
            1 + m.below("depot", 5, order * 3 + m.below("split", 3)), m.nulls("depot", 60)
        )
    if channel == "web":
        table["site_id"] = ids(1 + m.below("site", 3, order))
    table |= {
        "promo_id": ids(sold["promo"], m.below("promo?", 3) != 0),
        number: pa.array(sold["order"]),
        "quantity": ids(sold["quantity"]),
        "unit_price": money(sold["unit"], 7),
        "discount": money(sold["discount"], 9, m.nulls("discount", 28)),
        "amount": money(sold["amount"], 9),
        "profit": money(sold["profit"], 9, m.nulls("profit", 45)),
    }
    b = Maker(f"{channel} back", len(back["day"]))
    returned = {
        "day_id": ids(back["day"], b.nulls("day", 30)),
        "product_id": ids(back["product"]),
        "client_id": ids(back["client"], b.nulls("client", 20)),
        "reason_id": ids(back["reason"], b.nulls("reason", 25)),
        number: pa.array(back["order"]),
        "quantity": ids(back["quantity"]),
        "refund": money(back["refund"], 9, b.nulls("refund", 30)),
    }
    return pa.table(table), pa.table(returned)


def stock(n_products: int, every: int) -> pa.Table:
    """Weekly counts of some products in each depot."""
    weeks = np.arange(0, N_DAYS, 7)
    products = np.arange(0, n_products, every)
    n = len(weeks) * len(products) * 5
    m = Maker("stock", n)
    i = np.arange(n)
    return pa.table(
        {
            "day_id": ids(FIRST_ID + weeks[i // (len(products) * 5)]),
            "product_id": ids(1 + products[i // 5 % len(products)]),
            "depot_id": ids(1 + i % 5),
            "on_hand": ids(m.below("on hand", 900), m.nulls("on hand", 20)),
        }
    )


def tables(scale: float) -> dict[str, pa.Table]:
    """Return all tables by name."""
    root = scale**0.5
    sizes: dict = {
        "product": max(60, int(18000 * root)),
        "client": max(100, int(100000 * scale)),
        "shop": max(6, int(40 * root)),
        "promo": max(12, int(300 * root)),
    }
    n_addresses = max(50, sizes["client"] // 2)
    made = {
        "calendar": calendar(),
        "product": product(sizes["product"]),
        "address": address(n_addresses),
        "profile": profile(),
        "client": client(sizes["client"], n_addresses),
        "shop": shop(sizes["shop"]),
        **small_tables(sizes["promo"]),
    }
    sizes["prices"] = (
        (pa.compute.cast(made["product"]["price"], pa.float64()).to_numpy() * 100)
        .round()
        .astype(np.int64)
    )
    for channel, lines in (("shop", 2_880_000), ("catalogue", 1_440_000), ("web", 720_000)):
        made[f"{channel}_sales"], made[f"{channel}_returns"] = facts(
            channel, int(lines * scale), sizes
        )
    made["stock"] = stock(sizes["product"], max(1, int(40 * (1 - root))))
    return made


def write(folder: Path, scale: float) -> list[str]:
    """Write all tables to files of Parquet; return their names."""
    folder.mkdir(parents=True, exist_ok=True)
    made = tables(scale)
    for name, table in made.items():
        pq.write_table(table, folder / f"{name}.parquet", row_group_size=max(500, len(table) // 8))
    return list(made)


QUERIES = Path(__file__).resolve().parent.parent / "tests" / "data" / "retail"


def queries() -> dict[str, tuple[str, str | None]]:
    """Return the texts of tests/data/retail by title: Spark's, and DuckDB's where that has all of the query's parts.

    A text ends with a line `;` and starts with its title in a comment. A comment `duckdb: a => b` says what DuckDB spells otherwise.
    """
    found: dict[str, tuple[str, str | None]] = {}
    for path in sorted(QUERIES.glob("*.sql")):
        for part in path.read_text(encoding="utf-8").split("\n;\n"):
            if not part.strip():
                continue
            lines = part.strip().splitlines()
            title, body = lines[0].removeprefix("-- "), lines[1:]
            text = "\n".join(line for line in body if not line.startswith("-- duckdb: "))
            peer = text
            for line in body:
                if line.startswith("-- duckdb: "):
                    ours, theirs = line.removeprefix("-- duckdb: ").split(" => ")
                    peer = peer.replace(ours, theirs)
            found[title] = (text, None if path.stem == "spark_only" else peer)
    return found


if __name__ == "__main__":
    for written in write(Path(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else 0.001):
        print(written)
