# SPDX-License-Identifier: Apache-2.0
"""Queries over a star schema beside other engines: ./dev bench bench_star [--scale 1] [--all] [--peers duckdb] [--save]

The tables are retail.py's (scale 1: 2.9, 1.4 and 0.7 million sold items of three channels, 12 dimensions; made once under build/bench). Queries of
our own in three shapes: *f*, one fact table with filters on its dimensions, as in the Star Schema Benchmark; *j*, many joins with predicates on
strings, as in the Join Order Benchmark; *c*, channels side by side, as in TPC-DS. With --all the decision-support queries of tests/data/retail run as
well, by their numbers. Rows are compared with DuckDB's of the same run.
"""

from __future__ import annotations

import argparse

import engines
import retail
from engine_process import parquet_tables

QUERIES: dict[str, engines.Query] = {
    # one year, then a range of values, then all in one: what filters on the fact and on the smallest dimension leave
    "f1": """select sum(s.unit_price * s.discount) as revenue from shop_sales s join calendar c on s.day_id = c.day_id
        where c.year = 2020 and s.discount between 1 and 300 and s.quantity < 15""",
    "f2": """select sum(s.unit_price * s.discount) as revenue from shop_sales s join calendar c on s.day_id = c.day_id
        where c.month_no = 24241 and s.discount between 40 and 600 and s.quantity between 6 and 15""",
    "f3": """select sum(s.unit_price * s.discount) as revenue from shop_sales s join calendar c on s.day_id = c.day_id
        where c.week_no = 60 and s.discount between 50 and 700 and s.quantity between 6 and 15""",
    # a product line, by year and brand
    "f4": """select sum(s.amount) as revenue, c.year, p.brand from shop_sales s join calendar c on s.day_id = c.day_id
        join product p on s.product_id = p.product_id join shop h on s.shop_id = h.shop_id
        where p.category = 'Toys' and h.state = 'AC' group by c.year, p.brand order by c.year, p.brand""",
    "f5": """select sum(s.amount) as revenue, c.year, p.brand from shop_sales s join calendar c on s.day_id = c.day_id
        join product p on s.product_id = p.product_id join shop h on s.shop_id = h.shop_id
        where p.brand between 'brand 03' and 'brand 07' and h.state = 'BA' group by c.year, p.brand order by c.year, p.brand""",
    "f6": """select sum(s.amount) as revenue, c.year, p.brand from shop_sales s join calendar c on s.day_id = c.day_id
        join product p on s.product_id = p.product_id join shop h on s.shop_id = h.shop_id
        where p.brand = 'brand 11' and h.state = 'CE' group by c.year, p.brand order by c.year, p.brand""",
    # where clients and shops are, year by year
    "f7": """select a.state, h.state as sold_in, c.year, sum(s.amount) as revenue from shop_sales s join client k on s.client_id = k.client_id
        join address a on k.address_id = a.address_id join shop h on s.shop_id = h.shop_id join calendar c on s.day_id = c.day_id
        where a.state in ('SP', 'RJ', 'MG') and h.state in ('AC', 'MG') and c.year between 2019 and 2021
        group by a.state, h.state, c.year order by c.year, revenue desc, a.state, h.state""",
    "f8": """select a.city, h.name, c.year, sum(s.amount) as revenue from shop_sales s join client k on s.client_id = k.client_id
        join address a on k.address_id = a.address_id join shop h on s.shop_id = h.shop_id join calendar c on s.day_id = c.day_id
        where a.state = 'SP' and h.state = 'PR' and c.year between 2019 and 2023
        group by a.city, h.name, c.year order by c.year, revenue desc, a.city, h.name""",
    "f9": """select a.city, h.name, c.month_no, sum(s.amount) as revenue from shop_sales s join client k on s.client_id = k.client_id
        join address a on k.address_id = a.address_id join shop h on s.shop_id = h.shop_id join calendar c on s.day_id = c.day_id
        where a.city in ('Porto', 'Lagoa') and h.name in ('shop A', 'shop B1') and c.month_no = 24251
        group by a.city, h.name, c.month_no order by revenue desc, a.city, h.name""",
    # profit drilled down
    "f10": """select c.year, a.state, sum(s.amount - s.profit) as cost, sum(s.profit) as profit from shop_sales s join calendar c on s.day_id = c.day_id
        join client k on s.client_id = k.client_id join address a on k.address_id = a.address_id join product p on s.product_id = p.product_id
        join shop h on s.shop_id = h.shop_id where a.state in ('BA', 'CE') and p.category in ('Books', 'Music')
        group by c.year, a.state order by c.year, a.state""",
    "f11": """select c.year, h.state, p.category, sum(s.profit) as profit from shop_sales s join calendar c on s.day_id = c.day_id
        join client k on s.client_id = k.client_id join address a on k.address_id = a.address_id join product p on s.product_id = p.product_id
        join shop h on s.shop_id = h.shop_id where a.state = 'RS' and c.year in (2022, 2023) and p.colour in ('red', 'blue')
        group by c.year, h.state, p.category order by c.year, h.state, p.category""",
    "f12": """select c.year, h.name, p.brand, sum(s.profit) as profit from shop_sales s join calendar c on s.day_id = c.day_id
        join client k on s.client_id = k.client_id join address a on k.address_id = a.address_id join product p on s.product_id = p.product_id
        join shop h on s.shop_id = h.shop_id where a.state = 'RS' and h.state = 'AC' and c.year in (2022, 2023) and p.class = 'cycling'
        group by c.year, h.name, p.brand order by c.year, h.name, p.brand""",
    # many joins, a string predicate here and there
    "j1": """select min(p.title) as title, min(k.email) as email, min(c.day) as day from shop_sales s join product p on s.product_id = p.product_id
        join client k on s.client_id = k.client_id join calendar c on s.day_id = c.day_id join promo o on s.promo_id = o.promo_id
        where p.title like '%jazz%' and k.email like '%mail_3%' and o.name like 'promo 1%' and c.weekday = 'Sunday'""",
    "j2": """select count(*) as n, min(a.street) as street, max(k.last_name) as last_name from web_sales w join client k on w.client_id = k.client_id
        join client r on w.ship_client_id = r.client_id join address a on r.address_id = a.address_id join address b on k.address_id = b.address_id
        where a.city = 'Vila Rica' and b.city <> a.city and k.last_name like 'O''%' and a.street like 'Rua 1% 2%'""",
    "j3": """select count(*) as n, min(p.sku) as sku, min(k.last_name) as last_name from shop_returns t join shop_sales s on t.ticket_no = s.ticket_no
        and t.product_id = s.product_id join product p on t.product_id = p.product_id join client k on t.client_id = k.client_id
        join reason e on t.reason_id = e.reason_id join calendar c on t.day_id = c.day_id
        where e.reason in ('broken', 'late') and p.sku like '%!_X' escape '!' and k.first_name in ('Ana', 'Ivo') and c.holiday is not null""",
    "j4": """select count(*) as n, min(k.email) as email, max(p.title) as title from catalogue_sales s join client k on s.client_id = k.client_id
        join profile f on k.profile_id = f.profile_id join address a on k.address_id = a.address_id join product p on s.product_id = p.product_id
        join depot d on s.depot_id = d.depot_id join carrier r on s.carrier_id = r.carrier_id join calendar c on s.ship_day_id = c.day_id
        where f.education = 'doctorate' and f.gender = 'F' and r.carrier like '%e%' and d.name like '%th' and p.class like 'r%'
        and a.zip like '1%' and c.year = 2021""",
    "j5": """select count(*) as n, min(x.title) as bought, min(y.title) as also from shop_sales s join shop_sales t on s.ticket_no = t.ticket_no
        and s.product_id < t.product_id join product x on s.product_id = x.product_id join product y on t.product_id = y.product_id
        join calendar c on s.day_id = c.day_id where x.class = 'kites' and y.class like '%boots%' and c.quarter = 2 and x.colour like '_e%'""",
    "j6": """select count(*) as n, min(k.email) as email from client k where k.email like '%shop.%' and k.last_name not like '%a%'
        and exists (select 1 from web_sales w join product p on w.product_id = p.product_id where w.client_id = k.client_id and p.title like 'tents%' or
        w.client_id = k.client_id and p.brand = 'brand 05')
        and not exists (select 1 from web_returns r where r.client_id = k.client_id)""",
    # channels side by side
    "c1": """with sold as (select shop_id as place, day_id, amount as sales, profit, 0 as refund, 0 as loss from shop_sales
          union all select s.shop_id, r.day_id, 0, 0, r.refund, r.refund from shop_returns r join shop_sales s
            on r.ticket_no = s.ticket_no and r.product_id = s.product_id),
        shops as (select 'shop' as channel, h.name as place, sum(sales) as sales, sum(refund) as refunds, sum(profit - loss) as profit
          from sold join calendar c on sold.day_id = c.day_id join shop h on h.shop_id = sold.place
          where c.day between date '2020-08-23' and date '2020-09-06' group by h.name),
        posted as (select depot_id as place, day_id, amount as sales, profit, 0 as refund, 0 as loss from catalogue_sales
          union all select s.depot_id, r.day_id, 0, 0, r.refund, r.refund from catalogue_returns r join catalogue_sales s
            on r.order_no = s.order_no and r.product_id = s.product_id),
        depots as (select 'catalogue' as channel, d.name as place, sum(sales) as sales, sum(refund) as refunds, sum(profit - loss) as profit
          from posted join calendar c on posted.day_id = c.day_id join depot d on d.depot_id = posted.place
          where c.day between date '2020-08-23' and date '2020-09-06' group by d.name),
        clicked as (select site_id as place, day_id, amount as sales, profit, 0 as refund, 0 as loss from web_sales
          union all select s.site_id, r.day_id, 0, 0, r.refund, r.refund from web_returns r left join web_sales s
            on r.order_no = s.order_no and r.product_id = s.product_id),
        sites as (select 'web' as channel, t.url as place, sum(sales) as sales, sum(refund) as refunds, sum(profit - loss) as profit
          from clicked join calendar c on clicked.day_id = c.day_id join site t on t.site_id = clicked.place
          where c.day between date '2020-08-23' and date '2020-09-06' group by t.url)
        select channel, place, sum(sales) as sales, sum(refunds) as refunds, sum(profit) as profit
        from (select * from shops union all select * from depots union all select * from sites) x
        group by rollup (channel, place) order by channel nulls first, place nulls first, sales limit 100""",
    "c2": """select p.sku, p.title, h.name, sum(s.profit) as sold, sum(r.refund) as refunded, sum(g.profit) as bought_again
        from shop_sales s join shop_returns r on s.client_id = r.client_id and s.product_id = r.product_id and s.ticket_no = r.ticket_no
        join catalogue_sales g on r.client_id = g.client_id and r.product_id = g.product_id
        join calendar d1 on d1.day_id = s.day_id join calendar d2 on d2.day_id = r.day_id join calendar d3 on d3.day_id = g.day_id
        join shop h on h.shop_id = s.shop_id join product p on p.product_id = s.product_id
        where d1.month between 4 and 10 and d1.year = 2021 and d2.month between 4 and 10 and d2.year = 2021
        and d3.month between 4 and 10 and d3.year between 2021 and 2022
        group by p.sku, p.title, h.name order by p.sku, p.title, h.name limit 100""",
    "c3": """with totals as (select client_id, sum(amount) as spent, count(distinct product_id) as products from (
          select client_id, product_id, amount from shop_sales union all select client_id, product_id, amount from catalogue_sales
          union all select client_id, product_id, amount from web_sales) t group by client_id)
        select k.last_name, count(*) as clients, avg(t.spent) as spent, max(t.products) as products from totals t join client k on t.client_id = k.client_id
        where t.spent > (select 1.2 * avg(spent) from totals) group by k.last_name order by k.last_name""",
    "c4": """select p.category, p.class, c.year, sum(s.amount) as revenue, sum(s.amount) * 100.0 / sum(sum(s.amount)) over (partition by p.category, c.year) as share,
        rank() over (partition by c.year order by sum(s.amount) desc) as place from web_sales s join product p on s.product_id = p.product_id
        join calendar c on s.day_id = c.day_id group by p.category, p.class, c.year order by c.year, place, p.category, p.class""",
    "c5": """select d.name, p.product_id, avg(s.on_hand) as mean, count(*) as n from stock s join product p on s.product_id = p.product_id
        join depot d on s.depot_id = d.depot_id join calendar c on s.day_id = c.day_id where c.year = 2022 and p.category = 'Garden'
        group by d.name, p.product_id having avg(s.on_hand) > 300 order by mean desc, d.name, p.product_id limit 50""",
}


def suite(given: argparse.Namespace) -> engines.Suite:
    folder = engines.PLACE / f"retail-{given.scale}"
    if not (folder / "complete").exists():
        print(f"making {folder.name}", flush=True)
        retail.write(folder, float(given.scale))
        (folder / "complete").touch()
    names = tuple(sorted(p.stem for p in folder.glob("*.parquet")))
    queries = dict(QUERIES)
    if given.all:
        for i, (text, peer) in enumerate(retail.queries().values(), start=1):
            queries[str(i)] = {"spark": text} if peer is None else {"spark": text, "": peer}
    about = (
        f"Queries of our own over a retailer's star schema (`benchmarks/retail.py`, scale {given.scale}): f1 to f12 filter one fact table by its dimensions, "
        "j1 to j6 join many tables by predicates on strings, c1 to c5 put channels side by side."
    )
    return engines.Suite("star", "Star schema", parquet_tables(folder, names), queries, about)


def arguments() -> argparse.ArgumentParser:
    parser = engines.arguments(__doc__ or "", "duckdb,datafusion")
    parser.add_argument("--scale", default="1")
    parser.add_argument("--all", action="store_true", help="those of tests/data/retail, too")
    return parser


if __name__ == "__main__":
    engines.main(suite, arguments())
