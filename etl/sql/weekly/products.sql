-- All products that have landed; those with a reason do not become products of the shop.
CREATE TEMPORARY TABLE judged_products ON COMMIT DROP AS
WITH checked AS (
    SELECT
        *,
        CASE
            WHEN product_id IS NULL THEN 'product_id is missing'
            WHEN name IS NULL THEN 'name is missing'
            WHEN category IS NULL THEN 'category is missing'
            WHEN price IS NULL THEN 'price is missing'
            WHEN NOT price BETWEEN 0 AND 99999999.99 OR price <> round(price, 2) THEN 'price is no price'
        END AS fault
    FROM raw_products
)
SELECT
    product_id, name, category, price, dt, line,
    CASE
        WHEN fault IS NOT NULL THEN fault
        WHEN max(dt) OVER (PARTITION BY product_id, fault IS NULL) > dt THEN 'replaced on a later day'
        WHEN row_number() OVER (PARTITION BY product_id, dt, fault IS NULL ORDER BY line DESC) > 1
            THEN 'there twice'
    END AS reason
FROM checked
