-- What the week's files held, and how much of it was rejected; a row that a later day's replaced is not.
SELECT
    t.name AS file,
    t.rows + (SELECT count(*) FROM raw_rejected AS m WHERE m.dt = %(last)s AND m.table_name = t.name) AS rows,
    (SELECT count(*) FROM raw_rejected AS m WHERE m.dt = %(last)s AND m.table_name = t.name)
    + (
        SELECT count(*) FROM shop_rejected AS j
        WHERE j.dt = %(last)s AND j.table_name = t.name AND j.reason <> 'replaced on a later day'
    ) AS rejected
FROM (
    SELECT 'customers' AS name, count(*) AS rows FROM raw_customers WHERE dt = %(last)s
    UNION ALL
    SELECT 'products', count(*) FROM raw_products WHERE dt = %(last)s
    UNION ALL
    SELECT 'orders', count(*) FROM raw_orders WHERE dt = %(last)s
) AS t
ORDER BY t.name
