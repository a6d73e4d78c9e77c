-- A customer, a product and an order in a month of its own come late.
INSERT INTO customers VALUES (9001, 'Late Comer', 'late@example.org', 'IN', '2026-08-01') ON CONFLICT DO NOTHING;
INSERT INTO products VALUES (9001, 'Late lamp', 'garden', 10.00) ON CONFLICT DO NOTHING;
INSERT INTO orders VALUES (9001, 9001, 9001, '2026-08-02', 'delivered', 2, 10.00, 0.00, 20.00) ON CONFLICT DO NOTHING;
