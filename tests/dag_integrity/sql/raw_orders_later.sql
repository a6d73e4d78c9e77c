-- Some orders of the days before {date} landed on that day: what had landed before then is less. A later day sees the
-- same rows as ever, so that its result need not be made anew.
UPDATE raw_orders SET dt = '{date}'
WHERE dt < '{date}' AND dt >= '{date}'::date - 20 AND order_id % 3 = 0
    AND order_id IN (SELECT order_id FROM orders)
    AND order_id IN (SELECT order_id FROM raw_orders GROUP BY order_id HAVING count(*) = 1);
