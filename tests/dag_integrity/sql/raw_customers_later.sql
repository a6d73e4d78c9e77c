-- Some customers landed on {date} and not before: until then nobody knew who had ordered.
UPDATE raw_customers SET dt = '{date}'
WHERE dt < '{date}' AND dt >= '{date}'::date - 20 AND customer_id % 20 = 12
    AND customer_id IN (SELECT customer_id FROM customers)
    AND customer_id IN (SELECT customer_id FROM raw_customers GROUP BY customer_id HAVING count(*) = 1);
