-- All customers that have landed; those with a reason do not become customers of the shop.
CREATE TEMPORARY TABLE judged_customers ON COMMIT DROP AS
WITH checked AS (
    SELECT
        *,
        CASE
            WHEN customer_id IS NULL THEN 'customer_id is missing'
            WHEN name IS NULL THEN 'name is missing'
            WHEN email IS NULL THEN 'email is missing'
            WHEN email !~ '^[^@\s]+@[^@\s]+\.[^@\s]+$' THEN 'email is no address'
            WHEN country IS NULL THEN 'country is missing'
            WHEN country !~ '^[A-Z]{2}$' THEN 'country is no code'
            WHEN signup_date IS NULL THEN 'signup_date is missing'
            WHEN signup_date > dt THEN 'signup_date is after the day of landing'
        END AS fault
    FROM raw_customers
),
latest AS (
    SELECT
        *,
        CASE
            WHEN fault IS NOT NULL THEN fault
            WHEN max(dt) OVER (PARTITION BY customer_id, fault IS NULL) > dt THEN 'replaced on a later day'
            WHEN row_number() OVER (PARTITION BY customer_id, dt, fault IS NULL ORDER BY line DESC) > 1
                THEN 'there twice'
        END AS verdict
    FROM checked
)
SELECT
    customer_id, name, email, country, signup_date, dt, line,
    CASE
        WHEN verdict IS NOT NULL THEN verdict
        WHEN row_number() OVER (PARTITION BY email, verdict IS NULL ORDER BY customer_id) > 1
            THEN 'another customer has the same email'
    END AS reason
FROM latest
