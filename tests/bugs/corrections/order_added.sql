-- Upstream finds one more order of {date}.
INSERT INTO placed_orders
SELECT 1000 + ('{date}'::date - date '2026-01-01'), 'customer-1', 12.5, timestamptz '{date} 12:00Z'
ON CONFLICT DO NOTHING;
