-- Customer 2 never ordered anything, product 5 was never sold, and nothing was ordered in the last month.
DELETE FROM orders WHERE customer_id = 2 OR product_id = 5 OR order_date >= '2026-06-01';
