-- etl/sql/refresh/product_summary.sql in Spark's words.
SELECT *, rank() OVER (ORDER BY revenue DESC) AS place
FROM (
    SELECT
        p.product_id,
        count(o.order_id) AS orders,
        count(o.order_id) FILTER (WHERE o.status = 'delivered') AS delivered,
        count(o.order_id) FILTER (WHERE o.status = 'returned') AS returned,
        count(o.order_id) FILTER (WHERE o.status = 'cancelled') AS cancelled,
        coalesce(sum(o.quantity) FILTER (WHERE o.status = 'delivered'), 0) AS units,
        coalesce(sum(o.total) FILTER (WHERE o.status = 'delivered'), 0) AS revenue,
        coalesce(sum(o.total) FILTER (WHERE o.status = 'returned'), 0) AS refunds
    FROM products AS p
    LEFT JOIN orders AS o USING (product_id)
    GROUP BY p.product_id
)
