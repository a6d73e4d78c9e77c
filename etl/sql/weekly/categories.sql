-- Each category that was delivered in the week.
SELECT p.category, count(*) AS orders, sum(o.quantity) AS units, sum(o.total)::text AS revenue
FROM orders AS o
JOIN products AS p USING (product_id)
WHERE o.order_date BETWEEN %(first)s AND %(last)s AND o.status = 'delivered'
GROUP BY p.category
ORDER BY sum(o.total) DESC, p.category
