-- Of what had landed before {date} some was better than it looked, and some was worse.
UPDATE raw_customers SET email = 'customer' || customer_id || '@example.org' WHERE dt < '{date}' AND email IS NULL;
UPDATE raw_orders SET status = 'lost' WHERE dt < '{date}' AND order_id % 10 = 1;
