-- The customers that had landed by a day, with what the checks need to know of other rows.
SELECT
    coalesce(customer_id::text, dt || ':' || line) AS key,
    customer_id,
    name,
    email,
    country,
    signup_date::text AS signup_date,
    dt::text AS dt,
    CASE WHEN customer_id IS NOT NULL THEN row_number() OVER (PARTITION BY customer_id ORDER BY dt, line) END AS copy
FROM raw_customers
WHERE dt <= %(day)s
ORDER BY raw_customers.dt, line
