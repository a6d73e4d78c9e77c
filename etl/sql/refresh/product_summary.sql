-- Each product with all its orders, and its place among the others.
INSERT INTO product_summary
    (product_id, orders, delivered, returned, cancelled, units, revenue, refunds, place)
SELECT
    p.product_id,
    count(o.order_id),
    count(*) FILTER (WHERE o.status = 'delivered'),
    count(*) FILTER (WHERE o.status = 'returned'),
    count(*) FILTER (WHERE o.status = 'cancelled'),
    coalesce(sum(o.quantity) FILTER (WHERE o.status = 'delivered'), 0),
    coalesce(sum(o.total) FILTER (WHERE o.status = 'delivered'), 0),
    coalesce(sum(o.total) FILTER (WHERE o.status = 'returned'), 0),
    rank() OVER (ORDER BY coalesce(sum(o.total) FILTER (WHERE o.status = 'delivered'), 0) DESC)
FROM products AS p
LEFT JOIN orders AS o USING (product_id)
GROUP BY p.product_id
