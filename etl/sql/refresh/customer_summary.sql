-- Each customer with all their orders.
INSERT INTO customer_summary
    (customer_id, orders, delivered, returned, cancelled, units, revenue, refunds, first_order, last_order)
SELECT
    c.customer_id,
    count(o.order_id),
    count(*) FILTER (WHERE o.status = 'delivered'),
    count(*) FILTER (WHERE o.status = 'returned'),
    count(*) FILTER (WHERE o.status = 'cancelled'),
    coalesce(sum(o.quantity) FILTER (WHERE o.status = 'delivered'), 0),
    coalesce(sum(o.total) FILTER (WHERE o.status = 'delivered'), 0),
    coalesce(sum(o.total) FILTER (WHERE o.status = 'returned'), 0),
    min(o.order_date),
    max(o.order_date)
FROM customers AS c
LEFT JOIN orders AS o USING (customer_id)
GROUP BY c.customer_id
