-- What the DAGs of this lesson write: the orders of each day.
CREATE TABLE orders (number integer, customer text, total numeric(10, 2), dt date);
