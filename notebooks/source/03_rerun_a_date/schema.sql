-- What the DAGs of this lesson write: the orders of each day, and where they were loaded from.
CREATE TABLE orders (number integer, customer text, total numeric(10, 2), dt date);
CREATE TABLE keyed_orders (number integer PRIMARY KEY, customer text, total numeric(10, 2), dt date);
CREATE TABLE identified_orders (id uuid PRIMARY KEY, number integer, customer text, total numeric(10, 2), dt date);
CREATE TABLE traced_orders (number integer, total numeric(10, 2), dt date, run_id text);
