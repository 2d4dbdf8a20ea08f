-- Rows made of columns by LATERAL VIEW and stack.
select kind, count(*) as n, sum(v) as total
from product lateral view stack(2, 'price', price, 'cost', cost) t as kind, v
where category = 'Toys' group by kind order by kind
;
-- Arrays collected in groups and taken apart again.
select category, colour, n from (
  select category, sort_array(collect_set(colour)) as colours, count(*) as n from product group by category) t
lateral view posexplode(colours) e as at, colour
where at < 2 order by category, colour
;
-- PIVOT over the quarters.
select * from (
  select p.category, c.quarter, s.amount from web_sales s join product p using (product_id) join calendar c on c.day_id = s.day_id)
pivot (sum(amount) as total, count(*) as n for quarter in (1 as q1, 4 as q4))
order by category
;
-- UNPIVOT of what a GROUP BY gave.
select * from (select category, sum(price) as price, sum(cost) as cost from product group by category)
unpivot (total for what in (price, cost)) order by category, what
;
-- GROUP BY ALL and ORDER BY ALL.
select category, colour, count(*) as n, max(price) - min(price) as spread from product group by all order by all
;
-- Semi and anti joins as joins.
select count(*) as n from client c left semi join web_sales w on w.client_id = c.client_id and w.quantity > 3
left anti join shop_returns r on r.client_id = c.client_id
;
-- Null-safe comparison of keys that may be null.
select d.name, count(*) as n, count(w.order_no) as orders
from depot d left join web_sales w on w.depot_id <=> d.depot_id and (w.day_id <=> null or w.amount > 100)
group by d.name order by d.name
;
-- Structs, maps and higher-order functions over groups.
select category, transform(sort_array(collect_list(named_struct('p', price, 's', sku))), x -> x.s)[0] as cheapest,
       aggregate(collect_list(cast(price as double)), cast(0 as double), (a, x) -> a + x) > 0 as some,
       map_from_arrays(array('lo', 'hi'), array(min(price), max(price)))['hi'] as hi,
       max_by(sku, price) as dearest, min_by(sku, price) as cheap
from product where product_id < 200 group by category order by category
;
-- Percentiles and modes.
select category, percentile(price, 0.5) as median, percentile(price, array(0.25, 0.75)) as quartiles,
       percentile_cont(0.9) within group (order by weight desc) as p90, mode(maker_id, true) as maker, median(weight) as mw
from product group by category order by category
;
-- Dates by Spark's functions.
select year(day) as y, date_format(date_trunc('quarter', day), 'yyyy-MM-dd') as q, count(*) as n, last_day(max(day)) as l,
       datediff(max(day), min(day)) as days, months_between(max(day), min(day)) as months, next_day(min(day), 'Mon') as monday
from calendar where day >= make_date(2022, 1, 1) and weekofyear(day) > 2 group by year(day), date_trunc('quarter', day) order by 1, 2
;
-- Year-month and day-time intervals as values.
select reason_id, avg(i) as mean, max(i) as longest, cast(sum(m) as string) as months from (
  select r.reason_id, b.day - s.day as i, make_ym_interval(b.year - s.year, b.month - s.month) as m
  from shop_returns r join shop_sales t on t.ticket_no = r.ticket_no and t.product_id = r.product_id
  join calendar b on b.day_id = r.day_id join calendar s on s.day_id = t.day_id) x
group by reason_id order by reason_id
;
-- Lateral column aliases.
select category, sum(price) as total, count(*) as n, total / n as mean, round(mean, 1) as shown from product group by category order by category
;
-- SORT BY, DISTRIBUTE BY and CLUSTER BY change no rows.
select count(*) as n, sum(amount) as s from (select * from web_sales distribute by order_no sort by amount desc) a
union all select count(*), sum(amount) from (select * from web_sales cluster by product_id) b order by n
;
