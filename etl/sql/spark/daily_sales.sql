-- etl/sql/refresh/daily_sales.sql in Spark's words.
SELECT
    d.day,
    count(o.order_id) AS orders,
    count(o.order_id) FILTER (WHERE o.status = 'delivered') AS delivered,
    count(o.order_id) FILTER (WHERE o.status = 'returned') AS returned,
    count(o.order_id) FILTER (WHERE o.status = 'cancelled') AS cancelled,
    coalesce(sum(o.quantity) FILTER (WHERE o.status = 'delivered'), 0) AS units,
    coalesce(sum(o.total) FILTER (WHERE o.status = 'delivered'), 0) AS revenue,
    coalesce(sum(o.total) FILTER (WHERE o.status = 'returned'), 0) AS refunds,
    count(DISTINCT o.customer_id) AS customers
FROM (SELECT explode(sequence(min(order_date), max(order_date), interval 1 day)) AS day FROM orders) AS d
LEFT JOIN orders AS o ON o.order_date = d.day
GROUP BY d.day
