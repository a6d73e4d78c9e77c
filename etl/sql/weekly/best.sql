-- The products with the most revenue in the week.
SELECT p.product_id, p.name, sum(o.quantity) AS units, sum(o.total)::text AS revenue
FROM orders AS o
JOIN products AS p USING (product_id)
WHERE o.order_date BETWEEN %(first)s AND %(last)s AND o.status = 'delivered'
GROUP BY p.product_id, p.name
ORDER BY sum(o.total) DESC, p.product_id
LIMIT 10
