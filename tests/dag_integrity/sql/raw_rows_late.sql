-- A customer and an order land late, on days before {date}; the order is of a product that nobody knows.
INSERT INTO raw_customers
SELECT 9001, 'Late Comer', 'late@example.org', 'IN', '2025-12-20', '2025-12-20', 9001
WHERE NOT EXISTS (SELECT FROM raw_customers WHERE customer_id = 9001);
INSERT INTO raw_orders
SELECT 9001, 9001, 999, '2025-12-21', 'delivered', 1, 10, 0, 10, '2025-12-21', 9001
WHERE NOT EXISTS (SELECT FROM raw_orders WHERE order_id = 9001);
