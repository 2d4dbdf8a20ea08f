-- Brands of a category by month of one year.
select c.month, p.brand, sum(s.amount) as revenue, count(*) as n
from calendar c, shop_sales s, product p
where c.day_id = s.day_id and s.product_id = p.product_id and p.category = 'Music' and c.year = 2022
group by c.month, p.brand
order by c.month, revenue desc, p.brand limit 60
;
-- Pivot by CASE: a column per weekday.
select h.name,
       sum(case when c.weekday = 'Monday' then s.amount else null end) as mon,
       sum(case when c.weekday in ('Tuesday', 'Wednesday', 'Thursday') then s.amount else 0 end) as midweek,
       sum(case c.weekday when 'Friday' then s.amount end) as fri,
       sum(case when c.is_weekend then s.amount end) as weekend
from shop_sales s join shop h on h.shop_id = s.shop_id join calendar c on c.day_id = s.day_id
group by h.name order by h.name
;
-- The same by FILTER, with distinct and plain aggregates together.
select c.year,
       count(distinct s.client_id) filter (where c.quarter = 4) as clients_q4,
       count(distinct s.client_id) as clients, count(distinct s.product_id) as products, count(*) as n,
       sum(s.quantity) filter (where s.promo_id is null) as plain, avg(s.unit_price) filter (where s.quantity > 10) as bulk_price
from web_sales s join calendar c on c.day_id = s.day_id
group by c.year order by c.year
;
-- DISTINCT aggregates of several columns and of expressions.
select category, count(distinct colour) as colours, count(distinct class, colour) as pairs, sum(distinct maker_id) as makers,
       avg(distinct maker_id) as mean_maker, count(distinct case when weight > 300 then brand end) as heavy_brands
from product group by category order by category
-- duckdb: count(distinct class, colour) => count(distinct case when colour is not null then class || colour end)
;
-- Demographics of sales by cube.
select f.gender, f.education, count(*) as n, avg(s.quantity) as quantity, sum(s.amount) as amount
from shop_sales s join client c on c.client_id = s.client_id join profile f on f.profile_id = c.profile_id
where f.marital in ('single', 'widowed')
group by cube (f.gender, f.education)
order by f.gender, f.education
;
-- Disjunctions over several tables, from which conditions for each are drawn.
select avg(s.quantity) as quantity, avg(s.amount) as amount, sum(s.profit) as profit, count(*) as n
from shop_sales s, client c, profile f, address a, shop h
where h.shop_id = s.shop_id and c.client_id = s.client_id and f.profile_id = c.profile_id and a.address_id = c.address_id
  and ((f.marital = 'married' and f.education = 'degree' and s.unit_price between 50 and 250 and f.dependants >= 1)
    or (f.marital = 'single' and f.education = 'college' and s.unit_price between 10 and 200)
    or (a.state in ('SP', 'RJ', 'MG') and s.profit between -1000 and 300))
;
-- LIKE with escapes, IN lists, substrings of strings with special characters.
select substring(sku, 1, 1) as letter, count(*) as n,
       count(case when sku like '%!%' escape '!' then 1 end) as percent,
       count(case when sku like '%!_X' escape '!' then 1 end) as underscore,
       count(case when sku not like '_-%0%' then 1 end) as without_nought,
       count(case when title like 'fol_ no %' then 1 end) as folk
from product group by 1 order by 1
;
-- Strings put together, cut, compared.
select upper(substr(last_name, 1, 3)) || '-' || coalesce(lower(first_name), '?') as who, length(email) as l, count(*) as n
from client where email like '%mail!_%' escape '!' and last_name <> 'O''Hara'
group by 1, 2 order by n desc, who, l limit 30
;
-- Parts of dates and ages by months.
select extract(year from born) as y, extract(month from born) as m, count(*) as n, min(extract(day from born)) as first_day
from client where born is not null and extract(year from born) between 1950 and 1975
group by 1, 2 having count(*) >= 1 order by 1, 2
;
-- Arithmetic of dates and intervals.
select day, cast(day + interval 1 month as date) as next_month, cast(day - interval 2 weeks as date) as before,
       cast(day + interval 1 year as date) as next_year, extract(dow from day) as dow
from calendar where holiday = 'Eve' or (extract(month from day) = 1 and extract(day from day) = 31) order by day
-- duckdb: extract(dow from day) => extract(dow from day) + 1
;
-- Sales in a window of days around each holiday.
select h.holiday, h.year, count(s.ticket_no) as lines, sum(s.amount) as amount
from calendar h join calendar d on d.day between h.day - interval 3 days and h.day + interval 3 days
left join shop_sales s on s.day_id = d.day_id
where h.holiday is not null
group by h.holiday, h.year order by h.year, h.holiday
;
-- A price change: what was sold thirty days before and after a day.
select d.name as depot, p.sku,
       sum(case when c.day < date '2021-06-15' then s.amount else 0 end) as before,
       sum(case when c.day >= date '2021-06-15' then s.amount else 0 end) as after
from catalogue_sales s left join catalogue_returns r on r.order_no = s.order_no and r.product_id = s.product_id
join depot d on d.depot_id = s.depot_id join product p on p.product_id = s.product_id join calendar c on c.day_id = s.day_id
where c.day between date '2021-06-15' - interval 30 days and date '2021-06-15' + interval 30 days and p.price > 20
group by d.name, p.sku order by d.name, p.sku limit 50
;
-- Items bought together.
select a.product_id as one, b.product_id as other, count(*) as n
from shop_sales a join shop_sales b on a.ticket_no = b.ticket_no and a.product_id < b.product_id
group by a.product_id, b.product_id order by n desc, one, other limit 15
;
-- Hours of the day, by integer division and a VALUES table of their names.
select v.name, count(*) as n, sum(s.quantity) as pieces
from shop_sales s join (values (0, 11, 'morning'), (12, 17, 'afternoon'), (18, 23, 'evening')) v (lo, hi, name)
  on floor(s.minute / 60) between v.lo and v.hi
group by v.name order by n desc, v.name
;
-- Ordinals, expressions and nulls in ORDER BY.
select colour, category, count(*) as n, -sum(price) as negative
from product group by colour, category
order by 1 desc nulls last, length(category) desc, 3 desc, sum(cost) + 1, 2
;
-- Promotions and the share of sales that named them, with a hint for the join.
select /*+ broadcast(p) */ p.name, p.by_mail, count(s.ticket_no) as named,
       count(case when c.day_id between p.first_id and p.last_id then 1 end) as in_time
from promo p left join shop_sales s on s.promo_id = p.promo_id left join calendar c on c.day_id = s.day_id
group by p.name, p.by_mail order by named desc, p.name
;
-- Statistics of numbers with nulls and doubles.
select class, count(weight) as n, min(weight) as low, max(weight) as high, avg(weight) as mean, stddev_pop(weight) as sd, var_samp(weight) as var,
       sum(weight) as total, corr(weight, maker_id) as c, covar_pop(weight, maker_id) as cov
from product group by class order by class
;
-- Conditional functions over nulls.
select coalesce(holiday, weekday) as label, nullif(is_weekend, false) as weekend, count(*) as n, max(greatest(month, quarter)) as g, min(least(month, quarter)) as l
from calendar group by 1, 2 order by 1, 2
;
-- Nothing matches: aggregates of no rows, groups of no rows.
select count(*) as n, sum(amount) as s, avg(amount) as a, min(day_id) as m, max(order_no) as x, count(distinct client_id) as d,
       (select count(*) from (select client_id from web_sales where amount < 0 group by client_id) t) as g
from web_sales where amount < 0
;
-- Stock before and after a day, as a ratio between bounds.
select name, product_id, before, after from (
  select d.name, s.product_id, sum(case when c.day < date '2021-03-11' then s.on_hand else 0 end) as before,
         sum(case when c.day >= date '2021-03-11' then s.on_hand else 0 end) as after
  from stock s join depot d on d.depot_id = s.depot_id join calendar c on c.day_id = s.day_id
  where c.day between date '2021-02-09' and date '2021-04-10' group by d.name, s.product_id) x
where (case when before > 0 then after / before else null end) between 0.667 and 1.5
order by name, product_id limit 60
;
-- Clients whose spending grew faster on the web than in shops.
with totals as (
  select s.client_id, c.year, 's' as channel, sum(s.amount) as t from shop_sales s join calendar c using (day_id) group by s.client_id, c.year
  union all
  select w.client_id, c.year, 'w', sum(w.amount) from web_sales w join calendar c using (day_id) group by w.client_id, c.year)
select k.first_name, k.last_name, s1.client_id
from totals s1, totals s2, totals w1, totals w2, client k
where s1.client_id = s2.client_id and s1.client_id = w1.client_id and s1.client_id = w2.client_id and k.client_id = s1.client_id
  and s1.channel = 's' and s2.channel = 's' and w1.channel = 'w' and w2.channel = 'w'
  and s1.year = 2020 and s2.year = 2021 and w1.year = 2020 and w2.year = 2021
  and case when w1.t > 0 then w2.t / w1.t end > case when s1.t > 0 then s2.t / s1.t end
order by s1.client_id
;
-- Many small counts by cross joins of subqueries.
select a.n as morning, b.n as noon, c.n as evening, cast(a.n as double) / c.n as ratio
from (select count(*) as n from shop_sales where minute between 480 and 660) a,
     (select count(*) as n from shop_sales where minute between 661 and 900) b
     cross join (select count(*) as n from shop_sales where minute > 900) c
;
-- Sums of products of decimals, with casts and rounding to cents.
select category, sum(cast(price * 0.19 as decimal(12, 2))) as tax, sum(price * weight) as by_weight,
       sum(price - cost) / sum(price) as margin, sum(floor(price)) as whole, avg(price) as mean
from product where weight is not null group by category order by category
;
-- A recursive walk over the calendar's months.
with recursive months(month_no) as (
  select min(month_no) from calendar
  union all
  select month_no + 1 from months where month_no < 24240)
select m.month_no, count(w.order_no) as n
from months m left join calendar c on c.month_no = m.month_no left join web_sales w on w.day_id = c.day_id
group by m.month_no order by m.month_no
;
