-- The products that had landed by a day, with what the checks need to know of other rows.
SELECT
    coalesce(product_id::text, dt || ':' || line) AS key,
    product_id,
    name,
    category,
    price,
    CASE WHEN product_id IS NOT NULL THEN row_number() OVER (PARTITION BY product_id ORDER BY dt, line) END AS copy
FROM raw_products
WHERE dt <= %(day)s
ORDER BY dt, line
