-- All orders that have landed; those with a reason do not become orders of the shop. An order whose customer or product
-- comes late is accepted as soon as that is there.
CREATE TEMPORARY TABLE judged_orders ON COMMIT DROP AS
WITH checked AS (
    SELECT
        o.*,
        CASE
            WHEN o.order_id IS NULL THEN 'order_id is missing'
            WHEN o.customer_id IS NULL THEN 'customer_id is missing'
            WHEN c.customer_id IS NULL THEN 'customer is not known'
            WHEN o.product_id IS NULL THEN 'product_id is missing'
            WHEN p.product_id IS NULL THEN 'product is not known'
            WHEN o.order_date IS NULL THEN 'order_date is missing'
            WHEN o.order_date > o.dt THEN 'order_date is after the day of landing'
            WHEN o.status IS NULL OR o.status NOT IN ('shipped', 'delivered', 'returned', 'cancelled')
                THEN 'status is not known'
            WHEN o.quantity IS NULL OR o.quantity <= 0 THEN 'quantity is not positive'
            WHEN o.unit_price IS NULL OR NOT o.unit_price BETWEEN 0 AND 99999999.99
                OR o.unit_price <> round(o.unit_price, 2) THEN 'unit_price is no price'
            WHEN o.discount IS NULL OR NOT o.discount BETWEEN 0 AND 9999999999.99
                OR o.discount <> round(o.discount, 2) THEN 'discount is no amount'
            WHEN o.total IS NULL OR abs(o.total) > 999999999999.99 OR o.total <> o.quantity * o.unit_price - o.discount
                THEN 'total does not add up'
        END AS fault
    FROM raw_orders AS o
    LEFT JOIN judged_customers AS c ON c.customer_id = o.customer_id AND c.reason IS NULL
    LEFT JOIN judged_products AS p ON p.product_id = o.product_id AND p.reason IS NULL
)
SELECT
    order_id, customer_id, product_id, order_date, status, quantity, unit_price, discount, total, dt, line,
    CASE
        WHEN fault IS NOT NULL THEN fault
        WHEN max(dt) OVER (PARTITION BY order_id, fault IS NULL) > dt THEN 'replaced on a later day'
        WHEN row_number() OVER (PARTITION BY order_id, dt, fault IS NULL ORDER BY line DESC) > 1
            THEN 'there twice'
    END AS reason
FROM checked
