-- The orders that had landed by a day, with what the checks need to know of other rows.
SELECT
    coalesce(o.order_id::text, o.dt || ':' || o.line) AS key,
    o.order_id,
    o.customer_id,
    o.product_id,
    o.order_date::text AS order_date,
    o.status,
    o.quantity,
    o.unit_price,
    o.discount,
    o.total,
    o.dt::text AS dt,
    CASE WHEN o.order_id IS NOT NULL THEN row_number() OVER (PARTITION BY o.order_id ORDER BY o.dt, o.line) END AS copy,
    CASE WHEN o.customer_id IS NOT NULL THEN c.customer_id IS NOT NULL END AS customer_known,
    CASE WHEN o.product_id IS NOT NULL THEN p.product_id IS NOT NULL END AS product_known,
    c.signup_date::text AS signup_date
FROM raw_orders AS o
LEFT JOIN (
    SELECT customer_id, min(signup_date) AS signup_date FROM raw_customers WHERE dt <= %(day)s GROUP BY customer_id
) AS c USING (customer_id)
LEFT JOIN (
    SELECT DISTINCT product_id FROM raw_products WHERE dt <= %(day)s
) AS p USING (product_id)
WHERE o.dt <= %(day)s
ORDER BY o.dt, o.line
