-- Why rows of the week's files were rejected.
SELECT table_name AS file, reason, count(*) AS rows
FROM (
    SELECT table_name, reason FROM raw_rejected WHERE dt = %(last)s
    UNION ALL
    SELECT table_name, reason FROM shop_rejected WHERE dt = %(last)s
) AS rejected
GROUP BY table_name, reason
ORDER BY count(*) DESC, table_name, reason
