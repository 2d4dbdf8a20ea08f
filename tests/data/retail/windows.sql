-- The three best products of each category, ties kept.
select category, sku, revenue, place from (
  select p.category, p.sku, sum(s.amount) as revenue, rank() over (partition by p.category order by sum(s.amount) desc) as place
  from shop_sales s join product p on p.product_id = s.product_id group by p.category, p.sku) t
where place <= 3 order by category, place, sku
;
-- Months far from their year's average, with the months around them.
with v as (
  select p.category, c.year, c.month, sum(s.amount) as total,
         avg(sum(s.amount)) over (partition by p.category, c.year) as average,
         rank() over (partition by p.category order by c.year, c.month) as rn
  from product p, shop_sales s, calendar c
  where p.product_id = s.product_id and c.day_id = s.day_id and c.year between 2019 and 2021
  group by p.category, c.year, c.month)
select v.category, v.year, v.month, v.total, v.average, l.total as before, n.total as after
from v, v l, v n
where v.category = l.category and v.category = n.category and v.rn = l.rn + 1 and v.rn = n.rn - 1
  and v.year = 2020 and v.average > 0 and abs(v.total - v.average) / v.average > 0.25
order by v.total - v.average, v.category, v.month
;
-- Moving sums by rows, by values and by groups of equal values.
select shop_id, day_id, amount,
       sum(amount) over (partition by shop_id order by day_id, ticket_no, product_id, amount rows between 2 preceding and 1 following) as by_rows,
       sum(amount) over (partition by shop_id order by day_id range between 30 preceding and current row) as by_days,
       count(*) over (partition by shop_id order by day_id range between unbounded preceding and unbounded following) as of_shop,
       count(*) over (partition by shop_id order by day_id desc range between 5 preceding and 5 following) as near_days
from shop_sales where product_id < 40 and day_id is not null and shop_id is not null
order by shop_id, day_id, amount, by_rows limit 100
;
-- Frames that exclude the row itself: behind, ahead, empty.
select product_id, day_id, on_hand,
       max(on_hand) over (partition by product_id, depot_id order by day_id rows between 4 preceding and 1 preceding) as behind,
       min(on_hand) over (partition by product_id, depot_id order by day_id rows between 1 following and 3 following) as ahead,
       avg(on_hand) over (partition by product_id, depot_id order by day_id rows between 3 preceding and 3 following) as around
from stock where depot_id = 2 and product_id < 30 and day_id < 7100
order by product_id, day_id
;
-- Every ranking function over one ordering with ties.
select manager, area, row_number() over w as rn, rank() over w as r, dense_rank() over w as d, percent_rank() over w as pr,
       cume_dist() over w as cd, ntile(3) over w as third
from shop window w as (order by area desc, manager)
order by rn
;
-- Offsets and values of a frame.
select * from (
  select d.month_no, count(*) as n, lag(count(*)) over (order by d.month_no) as before, lead(count(*), 2, -1) over (order by d.month_no) as ahead,
         first_value(count(*)) over (order by d.month_no) as first_n,
         last_value(count(*)) over (order by d.month_no rows between unbounded preceding and unbounded following) as last_n,
         nth_value(count(*), 3) over (order by d.month_no rows between unbounded preceding and unbounded following) as third
  from web_sales w join calendar d on d.day_id = w.day_id group by d.month_no) t
order by month_no
;
-- Ratio to total, and to the running total, of nested aggregates.
select p.category, p.class, sum(w.profit) as profit,
       sum(w.profit) * 100 / sum(sum(w.profit)) over (partition by p.category) as of_category,
       sum(w.profit) * 100 / sum(sum(w.profit)) over () as of_all
from web_sales w join product p on p.product_id = w.product_id
group by p.category, p.class order by p.category, p.class
;
-- The best and worst classes side by side.
with by_class as (select class, avg(profit) as mean from catalogue_sales s join product p using (product_id) group by class),
     best as (select class, row_number() over (order by mean desc, class) as n from by_class),
     worst as (select class, row_number() over (order by mean, class) as n from by_class)
select best.n, best.class as best, worst.class as worst from best join worst on best.n = worst.n where best.n <= 8 order by best.n
;
-- A rank inside each level of a rollup.
select sum(s.profit) as profit, p.category, p.class, grouping(p.category) + grouping(p.class) as level,
       rank() over (partition by grouping(p.category) + grouping(p.class), case when grouping(p.class) = 0 then p.category end
                    order by sum(s.profit) desc) as place
from shop_sales s join product p on p.product_id = s.product_id
group by rollup (p.category, p.class)
order by level desc, case when grouping(p.category) + grouping(p.class) = 0 then p.category end, place, p.category, p.class
;
-- Year over year by week number, two years as two copies of one CTE.
with weekly as (
  select c.year, c.week_no % 52 as week,
         sum(case when c.weekday = 'Sunday' then s.amount end) as sun,
         sum(case when c.weekday = 'Monday' then s.amount end) as mon,
         sum(case when c.weekday = 'Saturday' then s.amount end) as sat
  from (select day_id, amount from web_sales union all select day_id, amount from catalogue_sales) s
  join calendar c on c.day_id = s.day_id group by c.year, c.week_no % 52)
select a.week, a.sun / b.sun as sun, a.mon / b.mon as mon, a.sat / b.sat as sat
from weekly a join weekly b on a.week = b.week
where a.year = 2021 and b.year = 2020
order by a.week
;
-- Gaps and islands: runs of consecutive days on which a shop sold something.
with d as (select distinct shop_id, day_id from shop_sales where shop_id is not null and day_id is not null),
     g as (select shop_id, day_id, day_id - row_number() over (partition by shop_id order by day_id) as island from d)
select shop_id, min(day_id) as from_day, count(*) as days from g group by shop_id, island having count(*) >= 5
order by days desc, shop_id, from_day
;
-- Distinct counts through windows over distinct rows, and a filtered aggregate as a window.
select state, n, of_all, married from (
  select a.state, count(*) over (partition by a.state) as n, count(*) over () as of_all,
         count(*) filter (where f.marital = 'married') over (partition by a.state) as married,
         row_number() over (partition by a.state order by c.client_id) as rn
  from client c join address a on a.address_id = c.address_id left join profile f on f.profile_id = c.profile_id) t
where rn = 1 order by state
;
-- Aggregates of windows of aggregates.
select year, max(step) as largest_step, min(step) as smallest_step, count(step) as steps from (
  select c.year, c.month, sum(s.amount) - lag(sum(s.amount)) over (partition by c.year order by c.month) as step
  from shop_sales s join calendar c on c.day_id = s.day_id group by c.year, c.month) m
group by year order by year
;
-- Values of a frame of dates within an interval.
select day, n, sum(n) over (order by day range between interval 7 days preceding and current row) as week from (
  select c.day, count(*) as n from web_sales w join calendar c on c.day_id = w.day_id where c.year = 2022 and c.month in (11, 12) group by c.day) t
order by day
;
-- Standard deviation against mean of stock per month: two months of one CTE.
with inv as (
  select s.depot_id, s.product_id, c.month, stddev_samp(s.on_hand) as sd, avg(s.on_hand) as mean
  from stock s join calendar c on c.day_id = s.day_id where c.year = 2020
  group by s.depot_id, s.product_id, c.month)
select a.depot_id, a.product_id, a.month, a.mean, a.sd / a.mean as cov, b.mean as next_mean, b.sd / b.mean as next_cov
from inv a join inv b on a.depot_id = b.depot_id and a.product_id = b.product_id and b.month = a.month + 1
where a.mean > 0 and b.mean > 0 and a.sd / a.mean > 0.9 and b.sd / b.mean > 0.7
order by a.depot_id, a.product_id, a.month
;
