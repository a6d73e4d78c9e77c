-- Upstream takes back the first order of {date} and changes the second one.
DELETE FROM placed_orders WHERE number = 20 * ('{date}'::date - date '2026-01-01');
UPDATE placed_orders SET total = 1000 WHERE number = 20 * ('{date}'::date - date '2026-01-01') + 1;
