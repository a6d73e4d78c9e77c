-- Every fourth order was somebody else's, of something else, on another day, and came back.
UPDATE orders SET
    customer_id = 1,
    product_id = 1,
    order_date = '2026-01-15',
    status = 'returned',
    unit_price = 1.10,
    discount = 0.10,
    total = quantity * 1.10 - 0.10
WHERE order_id % 4 = 0;
