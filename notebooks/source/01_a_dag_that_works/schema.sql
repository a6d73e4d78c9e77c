-- What the DAGs of this lesson write: a copy of a day's orders to work on, and one line for each day.
CREATE TABLE staged_orders (number integer, total numeric(10, 2), dt date);
CREATE TABLE daily_sales (dt date, orders integer, sold numeric(10, 2));
-- What a supplier sends: a line for each article; the price is text.
CREATE TABLE supplied (dt date, article text, price text);
INSERT INTO supplied VALUES
    ('2026-01-01', 'tea', '4.50'), ('2026-01-01', 'coffee', '6.20'), ('2026-01-01', 'cocoa', '5.10'),
    ('2026-01-02', 'tea', '4.50'), ('2026-01-02', 'coffee', 'n/a'), ('2026-01-02', 'cocoa', '5.10');
CREATE TABLE prices (dt date, article text, price numeric(10, 2));
