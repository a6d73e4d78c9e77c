-- etl/sql/refresh/monthly_sales.sql in Spark's words.
SELECT
    *,
    -- A quotient of decimals has the digits that its parts leave over: these leave it enough to round once only.
    round(
        (CAST(revenue AS decimal(18, 2)) - lag(CAST(revenue AS decimal(18, 2))) OVER months)
        / nullif(lag(CAST(revenue AS decimal(18, 2))) OVER months, 0),
        4
    ) AS growth
FROM (
    SELECT
        m.month,
        count(o.order_id) AS orders,
        count(o.order_id) FILTER (WHERE o.status = 'delivered') AS delivered,
        count(o.order_id) FILTER (WHERE o.status = 'returned') AS returned,
        count(o.order_id) FILTER (WHERE o.status = 'cancelled') AS cancelled,
        coalesce(sum(o.quantity) FILTER (WHERE o.status = 'delivered'), 0) AS units,
        coalesce(sum(o.total) FILTER (WHERE o.status = 'delivered'), 0) AS revenue,
        coalesce(sum(o.total) FILTER (WHERE o.status = 'returned'), 0) AS refunds,
        count(DISTINCT o.customer_id) AS customers
    FROM (
        SELECT explode(sequence(trunc(min(order_date), 'MM'), trunc(max(order_date), 'MM'), interval 1 month)) AS month
        FROM orders
    ) AS m
    LEFT JOIN orders AS o ON trunc(o.order_date, 'MM') = m.month
    GROUP BY m.month
)
WINDOW months AS (ORDER BY month)
