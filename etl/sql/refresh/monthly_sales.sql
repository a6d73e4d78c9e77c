-- Each month from that of the first order to that of the last, and how its revenue grew since the month before.
INSERT INTO monthly_sales
    (month, orders, delivered, returned, cancelled, units, revenue, refunds, customers, growth)
SELECT
    *,
    round((revenue - lag(revenue) OVER months) / nullif(lag(revenue) OVER months, 0), 4)
FROM (
    SELECT
        m.month,
        count(o.order_id),
        count(*) FILTER (WHERE o.status = 'delivered'),
        count(*) FILTER (WHERE o.status = 'returned'),
        count(*) FILTER (WHERE o.status = 'cancelled'),
        coalesce(sum(o.quantity) FILTER (WHERE o.status = 'delivered'), 0),
        coalesce(sum(o.total) FILTER (WHERE o.status = 'delivered'), 0) AS revenue,
        coalesce(sum(o.total) FILTER (WHERE o.status = 'returned'), 0),
        count(DISTINCT o.customer_id)
    FROM (
        SELECT generate_series(
            date_trunc('month', min(order_date)::timestamp), max(order_date)::timestamp, interval '1 month'
        )::date AS month
        FROM orders
    ) AS m
    LEFT JOIN orders AS o ON date_trunc('month', o.order_date::timestamp) = m.month
    GROUP BY m.month
) AS months
WINDOW months AS (ORDER BY month)
