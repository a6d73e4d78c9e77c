-- What the DAGs of this lesson write: the orders, when they were placed and for which day they were loaded.
CREATE TABLE orders (number integer, total numeric(10, 2), placed_at timestamptz, dt date);
CREATE TABLE day_totals (dt date PRIMARY KEY, orders integer, sold numeric(10, 2));
