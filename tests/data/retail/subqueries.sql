-- Returns far above the shop's average.
with r as (
  select s.shop_id, b.client_id, sum(b.refund) as total
  from shop_returns b join shop_sales s on s.ticket_no = b.ticket_no and s.product_id = b.product_id
  group by s.shop_id, b.client_id)
select r1.shop_id, r1.client_id, r1.total
from r r1
where r1.total > (select avg(r2.total) * 1.2 from r r2 where r2.shop_id = r1.shop_id)
order by r1.shop_id, r1.client_id nulls last, r1.total
;
-- Products dearer than the average of their class.
select p.category, count(*) as n, min(p.price) as lowest
from product p
where p.price > 1.4 * (select avg(q.price) from product q where q.class = p.class and q.product_id <> p.product_id)
group by p.category order by p.category
;
-- Clients of shops who never used web or catalogue, by profile.
select f.gender, f.marital, count(*) as n
from client c, profile f
where c.profile_id = f.profile_id
  and exists (select * from shop_sales s where s.client_id = c.client_id)
  and not exists (select * from web_sales w, calendar d where w.client_id = c.client_id and w.day_id = d.day_id and d.year = 2020)
  and not exists (select * from catalogue_sales k where k.client_id = c.client_id and k.quantity > 15)
group by f.gender, f.marital order by f.gender, f.marital
;
-- NOT IN over a column with nulls has no rows; over the rest it has.
select (select count(*) from client where client_id not in (select client_id from web_sales)) as with_nulls,
       (select count(*) from client where client_id not in (select client_id from web_sales where client_id is not null)) as without
;
-- EXISTS under OR, in two different tables.
select c.last_name, count(*) as n
from client c
where exists (select 1 from web_sales w where w.client_id = c.client_id and w.amount > 3000)
   or exists (select 1 from catalogue_sales k where k.client_id = c.client_id and k.amount > 4000)
group by c.last_name order by c.last_name
;
-- IN as a value, also where the answer is null.
select depot_id in (select depot_id from web_sales where quantity = 20) as used, count(*) as n, sum(area) as area
from depot group by 1 order by 1
;
-- Buckets of quantities, each a scalar subquery chosen by another.
select case when (select count(*) from shop_sales where quantity between 1 and 5) > 500
            then (select avg(discount) from shop_sales where quantity between 1 and 5)
            else (select avg(amount) from shop_sales where quantity between 1 and 5) end as low,
       case when (select count(*) from shop_sales where quantity between 6 and 10) > 100000
            then (select avg(discount) from shop_sales where quantity between 6 and 10)
            else (select avg(amount) from shop_sales where quantity between 6 and 10) end as high
;
-- The last sale of every shop, by a correlated maximum.
select s.shop_id, s.ticket_no, s.product_id, s.amount
from shop_sales s
where s.day_id = (select max(t.day_id) from shop_sales t where t.shop_id = s.shop_id)
order by s.shop_id, s.ticket_no, s.product_id, s.amount
;
-- A correlated count in the select list is nought where nothing matches.
select p.product_id, (select count(*) from web_returns r where r.product_id = p.product_id) as web_back,
       (select max(r.refund) from web_returns r where r.product_id = p.product_id) as largest
from product p where p.product_id between 5 and 60 order by p.product_id
;
-- Correlated over two levels: products of a maker whose cheapest product is still above the category's average cost.
select p.maker_id, count(*) as n
from product p
where exists (
  select 1 from product q
  where q.maker_id = p.maker_id
    and q.price = (select min(m.price) from product m where m.maker_id = q.maker_id)
    and q.price > (select avg(a.cost) from product a where a.category = q.category))
group by p.maker_id order by p.maker_id
;
-- Quantified by EXISTS with an inequality: tickets on which one line cost more than all others together.
select count(*) as n, sum(s.amount) as total
from shop_sales s
where s.amount > (select coalesce(sum(t.amount), 0) from shop_sales t where t.ticket_no = s.ticket_no and t.product_id <> s.product_id)
;
-- Lateral: the two dearest products of each category with what they brought.
select c.category, x.sku, x.price, y.pieces
from (select distinct category from product) c
cross join lateral (select p.product_id, p.sku, p.price from product p where p.category = c.category order by p.price desc, p.sku limit 2) x
left join lateral (select sum(s.quantity) as pieces from shop_sales s where s.product_id = x.product_id) y on true
order by c.category, x.price desc, x.sku
;
-- Subqueries in HAVING and ORDER BY.
select k.shop_id, sum(k.amount) as total
from shop_sales k
group by k.shop_id
having sum(k.amount) > (select 0.8 * avg(t) from (select sum(amount) as t from shop_sales group by shop_id) x)
order by (select max(h.shop_id) from shop h) - k.shop_id, total
;
-- A row of values compared with a subquery of two columns.
select count(*) as n, count(distinct client_id) as clients
from shop_sales
where (client_id, product_id) in (select client_id, product_id from shop_returns where quantity > 5)
;
-- Semi join over an aggregate: days with more web orders than the average day of that month.
select c.year, c.month, count(*) as days
from calendar c
where c.day_id in (
  select day_id from (select x.month_no, w.day_id, count(distinct w.order_no) as n
                      from web_sales w join calendar x on x.day_id = w.day_id group by x.month_no, w.day_id) d
  where n > (select avg(n) from (select x.month_no, w.day_id, count(distinct w.order_no) as n
                                 from web_sales w join calendar x on x.day_id = w.day_id group by x.month_no, w.day_id) m
             where m.month_no = d.month_no))
group by c.year, c.month order by c.year, c.month
;
-- Views of one CTE used several times, one of them in a subquery of a join condition's side.
with t as (select c.year, s.client_id, sum(s.amount) as spent from shop_sales s join calendar c on s.day_id = c.day_id group by c.year, s.client_id),
     top as (select max(spent) as spent from t where client_id is not null)
select t1.year, t1.client_id, t1.spent, t2.spent as before
from t t1 join t t2 on t1.client_id = t2.client_id and t1.year = t2.year + 1
where t1.spent > t2.spent and t1.spent > (select 0.25 * spent from top)
order by t1.year, t1.spent desc, t1.client_id limit 40
;
