-- etl/sql/refresh/customer_summary.sql in Spark's words.
SELECT
    c.customer_id,
    count(o.order_id) AS orders,
    count(o.order_id) FILTER (WHERE o.status = 'delivered') AS delivered,
    count(o.order_id) FILTER (WHERE o.status = 'returned') AS returned,
    count(o.order_id) FILTER (WHERE o.status = 'cancelled') AS cancelled,
    coalesce(sum(o.quantity) FILTER (WHERE o.status = 'delivered'), 0) AS units,
    coalesce(sum(o.total) FILTER (WHERE o.status = 'delivered'), 0) AS revenue,
    coalesce(sum(o.total) FILTER (WHERE o.status = 'returned'), 0) AS refunds,
    min(o.order_date) AS first_order,
    max(o.order_date) AS last_order
FROM customers AS c
LEFT JOIN orders AS o USING (customer_id)
GROUP BY c.customer_id
