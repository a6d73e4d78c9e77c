-- What a summary says and what the orders themselves say, wherever that is not the same.
SELECT
    coalesce(s.key, o.key)::text AS key,
    array[s.orders, s.delivered, s.returned, s.cancelled, s.units, s.revenue, s.refunds]::text AS says,
    array[o.orders, o.delivered, o.returned, o.cancelled, o.units, o.revenue, o.refunds]::text AS should_say
FROM (
    SELECT {column} AS key, orders, delivered, returned, cancelled, units, revenue, refunds FROM {summary}
) AS s
FULL JOIN (
    SELECT
        {key} AS key,
        count(*) AS orders,
        sum((status = 'delivered')::int) AS delivered,
        sum((status = 'returned')::int) AS returned,
        sum((status = 'cancelled')::int) AS cancelled,
        sum(CASE WHEN status = 'delivered' THEN quantity ELSE 0 END) AS units,
        sum(CASE WHEN status = 'delivered' THEN total ELSE 0 END) AS revenue,
        sum(CASE WHEN status = 'returned' THEN total ELSE 0 END) AS refunds
    FROM orders
    GROUP BY 1
) AS o USING (key)
WHERE
    (s.orders, s.delivered, s.returned, s.cancelled, s.units, s.revenue, s.refunds)
    IS DISTINCT FROM
    (
        coalesce(o.orders, 0), coalesce(o.delivered, 0), coalesce(o.returned, 0), coalesce(o.cancelled, 0),
        coalesce(o.units, 0), coalesce(o.revenue, 0), coalesce(o.refunds, 0)
    )
ORDER BY 1
