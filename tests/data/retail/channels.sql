-- Revenue of the three channels side by side per year, and each one's share.
with all_sales as (
  select 'shop' as channel, day_id, amount from shop_sales
  union all select 'catalogue', day_id, amount from catalogue_sales
  union all select 'web', day_id, amount from web_sales
)
select c.year, s.channel, sum(s.amount) as revenue,
       sum(s.amount) * 100.0 / sum(sum(s.amount)) over (partition by c.year) as share
from all_sales s join calendar c on c.day_id = s.day_id
group by c.year, s.channel
order by c.year, s.channel
;
-- Products sold in shops and on the web but never by catalogue.
select p.sku, p.category
from product p
where p.product_id in (
  select product_id from shop_sales
  intersect select product_id from web_sales
  except select product_id from catalogue_sales)
order by p.sku
;
-- Multiset operations keep counts.
select product_id, count(*) as n from (
  select product_id from shop_sales where quantity > 18
  intersect all select product_id from catalogue_sales
  except all select product_id from web_sales) t
group by product_id order by n desc, product_id limit 40
;
-- Full outer join of two channels per product: who sells what alone.
with s as (select product_id, sum(quantity) as q from shop_sales group by product_id),
     w as (select product_id, sum(quantity) as q from web_sales group by product_id)
select case when s.product_id is null then 'web only' when w.product_id is null then 'shop only' else 'both' end as kind,
       count(*) as products, sum(coalesce(s.q, 0)) as shop_pieces, sum(coalesce(w.q, 0)) as web_pieces
from s full outer join w on s.product_id = w.product_id
group by 1 order by 1
;
-- Three channels joined in full by client with USING.
with a as (select client_id, sum(amount) as shop from shop_sales group by client_id),
     b as (select client_id, sum(amount) as web from web_sales group by client_id),
     c as (select client_id, sum(amount) as cat from catalogue_sales group by client_id)
select client_id, shop, web, cat, coalesce(shop, 0) + coalesce(web, 0) + coalesce(cat, 0) as total
from a full join b using (client_id) full join c using (client_id)
order by total desc, client_id nulls last limit 30
;
-- Running totals of two channels by day, where one passes the other for the first time.
with w as (
  select product_id, day_id, sum(sum(amount)) over (partition by product_id order by day_id rows between unbounded preceding and current row) as total
  from web_sales where product_id <= 30 and day_id is not null group by product_id, day_id
), s as (
  select product_id, day_id, sum(sum(amount)) over (partition by product_id order by day_id rows between unbounded preceding and current row) as total
  from shop_sales where product_id <= 30 and day_id is not null group by product_id, day_id
), j as (
  select coalesce(w.product_id, s.product_id) as product_id, coalesce(w.day_id, s.day_id) as day_id, w.total as web, s.total as shop
  from w full outer join s on w.product_id = s.product_id and w.day_id = s.day_id
), f as (
  select product_id, day_id,
         max(web) over (partition by product_id order by day_id rows between unbounded preceding and current row) as web,
         max(shop) over (partition by product_id order by day_id rows between unbounded preceding and current row) as shop
  from j
)
select product_id, min(day_id) as first_day, count(*) as days from f where web > shop group by product_id order by product_id
;
-- Clients of all three channels within one year: INTERSECT of joins.
select count(*) as clients from (
  select cl.last_name, cl.first_name, c.month_no from shop_sales s, calendar c, client cl
  where s.day_id = c.day_id and s.client_id = cl.client_id and c.year = 2021
  intersect
  select cl.last_name, cl.first_name, c.month_no from catalogue_sales s, calendar c, client cl
  where s.day_id = c.day_id and s.client_id = cl.client_id and c.year = 2021
  intersect
  select cl.last_name, cl.first_name, c.month_no from web_sales s, calendar c, client cl
  where s.day_id = c.day_id and s.client_id = cl.client_id and c.year = 2021) both_of_them
;
-- Returned shares per channel and reason, with a rollup over both.
with back as (
  select 'shop' as channel, reason_id, quantity, refund from shop_returns
  union all select 'catalogue', reason_id, quantity, refund from catalogue_returns
  union all select 'web', reason_id, quantity, refund from web_returns
)
select b.channel, r.reason, grouping(b.channel) as gc, grouping(r.reason) as gr, sum(b.quantity) as pieces, sum(b.refund) as refunds
from back b left join reason r on r.reason_id = b.reason_id
group by rollup (b.channel, r.reason)
order by gc, gr, b.channel, r.reason
;
-- The same reached by GROUPING SETS, with the sets told apart by grouping_id.
select channel, kind, grouping_id(channel, kind) as g, count(*) as n, sum(amount) as amount from (
  select 'catalogue' as channel, kind, amount from catalogue_sales s join carrier c on c.carrier_id = s.carrier_id
  union all
  select 'web', kind, amount from web_sales s join carrier c on c.carrier_id = s.carrier_id) t
group by grouping sets ((channel, kind), (kind), ())
order by g, channel, kind
;
-- Bought in a shop, brought back, and then ordered by catalogue by the same client.
select p.sku, count(*) as n, sum(s.quantity) as sold, sum(r.quantity) as returned, sum(c.quantity) as ordered
from shop_sales s
join shop_returns r on r.ticket_no = s.ticket_no and r.product_id = s.product_id
join catalogue_sales c on c.client_id = r.client_id and c.day_id >= r.day_id
join product p on p.product_id = s.product_id
group by p.sku order by n desc, p.sku limit 20
;
-- Months in which the web grew over the year before while the catalogue shrank.
with monthly as (
  select 'web' as channel, c.month_no, sum(amount) as total from web_sales s join calendar c using (day_id) group by c.month_no
  union all
  select 'catalogue', c.month_no, sum(amount) from catalogue_sales s join calendar c using (day_id) group by c.month_no
)
select w.month_no, w.total as web, w0.total as web_before, k.total as cat, k0.total as cat_before
from monthly w, monthly w0, monthly k, monthly k0
where w.channel = 'web' and w0.channel = 'web' and k.channel = 'catalogue' and k0.channel = 'catalogue'
  and w0.month_no = w.month_no - 12 and k.month_no = w.month_no and k0.month_no = k.month_no - 12
  and w.total > w0.total and k.total < k0.total
order by w.month_no
;
-- Orders of the web that were sent from more than one depot and not returned.
select count(distinct order_no) as orders, sum(amount) as amount, sum(profit) as profit
from web_sales w1
where exists (select 1 from web_sales w2 where w2.order_no = w1.order_no and w2.depot_id <> w1.depot_id)
  and not exists (select 1 from web_returns r where r.order_no = w1.order_no)
-- duckdb: w2.depot_id <> w1.depot_id => w2.depot_id <> w1.depot_id and w1.depot_id is not null
;
-- Days between order and dispatch in classes, by depot and carrier.
select coalesce(d.name, 'no name') as depot, k.carrier,
       sum(case when s.ship_day_id - s.day_id <= 30 then 1 else 0 end) as within_30,
       sum(case when s.ship_day_id - s.day_id > 30 and s.ship_day_id - s.day_id <= 60 then 1 else 0 end) as within_60,
       sum(case when s.ship_day_id - s.day_id > 60 and s.ship_day_id - s.day_id <= 90 then 1 else 0 end) as within_90,
       sum(case when s.ship_day_id - s.day_id > 90 then 1 else 0 end) as later,
       count(*) as n
from catalogue_sales s join depot d on d.depot_id = s.depot_id join carrier k on k.carrier_id = s.carrier_id
group by d.name, k.carrier order by depot, k.carrier
;
-- Names that each channel has in common, counted once, by nested set operations with parentheses.
(select last_name from client where client_id in (select client_id from web_sales)
 union
 select last_name from client where client_id in (select client_id from catalogue_sales))
except
(select last_name from client where born is null intersect select last_name from client where first_name is null)
order by last_name
;
-- A sale and its return joined by two keys, with what was never returned kept.
select s.order_no % 10 as digit, count(*) as lines, count(r.order_no) as returned, sum(s.amount) - sum(coalesce(r.refund, 0)) as net
from web_sales s left outer join web_returns r on r.order_no = s.order_no and r.product_id = s.product_id
group by s.order_no % 10 order by digit
;
