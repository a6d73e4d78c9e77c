-- The shop corrects itself: raw orders of the month before the run change, and some are gone.
UPDATE raw_orders SET total = total + 1
WHERE dt >= '{date}'::date - interval '1 month' AND dt < '{date}'::date AND order_id % 2 = 0;
DELETE FROM raw_orders
WHERE dt >= '{date}'::date - interval '1 month' AND dt < '{date}'::date AND order_id % 5 = 0;
