-- Each day from the first order to the last; a day without one has zeros.
INSERT INTO daily_sales
    (day, orders, delivered, returned, cancelled, units, revenue, refunds, customers)
SELECT
    d.day,
    count(o.order_id),
    count(*) FILTER (WHERE o.status = 'delivered'),
    count(*) FILTER (WHERE o.status = 'returned'),
    count(*) FILTER (WHERE o.status = 'cancelled'),
    coalesce(sum(o.quantity) FILTER (WHERE o.status = 'delivered'), 0),
    coalesce(sum(o.total) FILTER (WHERE o.status = 'delivered'), 0),
    coalesce(sum(o.total) FILTER (WHERE o.status = 'returned'), 0),
    count(DISTINCT o.customer_id)
FROM (
    SELECT generate_series(min(order_date)::timestamp, max(order_date)::timestamp, interval '1 day')::date AS day
    FROM orders
) AS d
LEFT JOIN orders AS o ON o.order_date = d.day
GROUP BY d.day
