-- What the producer of this lesson writes, and what its consumers make of it.
CREATE TABLE exported_orders (number integer, total numeric(10, 2), dt date);
CREATE TABLE orders (number integer, total numeric(10, 2), dt date);
