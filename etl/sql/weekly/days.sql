-- Each day of the week: its orders, and what they came to.
SELECT
    d.day::date::text AS day,
    count(o.order_id) AS orders,
    count(*) FILTER (WHERE o.status = 'delivered') AS delivered,
    count(*) FILTER (WHERE o.status = 'returned') AS returned,
    count(*) FILTER (WHERE o.status = 'cancelled') AS cancelled,
    coalesce(sum(o.total) FILTER (WHERE o.status = 'delivered'), 0)::text AS revenue
FROM generate_series(%(first)s::timestamp, %(last)s::timestamp, interval '1 day') AS d (day)
LEFT JOIN orders AS o ON o.order_date = d.day::date
GROUP BY d.day
ORDER BY d.day
