-- What the drawn DAGs read and write. Each world has a database of its own with these tables.

CREATE SCHEMA mart;

CREATE TABLE placed ( -- the source: 20 orders a day, one every 72 minutes, of 8 customers
    number    integer PRIMARY KEY,
    customer  text NOT NULL,
    total     numeric(10, 2) NOT NULL,
    placed_at timestamptz NOT NULL
);
INSERT INTO placed
SELECT n, 'customer-' || n % 8, (n * 37 % 1000) / 10.0, timestamptz '2026-01-01 00:06Z' + n * interval '72 minutes'
FROM generate_series(0, 20 * 4 - 1) AS n;

CREATE TABLE clicks (at timestamptz PRIMARY KEY, n integer NOT NULL); -- hourly, where Europe changes its clocks
INSERT INTO clicks
SELECT at, (extract(epoch FROM at)::bigint / 3600 % 97)::integer
FROM generate_series(timestamptz '2026-03-25Z', timestamptz '2026-04-02Z', interval '1 hour') AS at
UNION ALL
SELECT at, (extract(epoch FROM at)::bigint / 3600 % 97)::integer
FROM generate_series(timestamptz '2026-10-21Z', timestamptz '2026-10-29Z', interval '1 hour') AS at;

CREATE TABLE arrived (number integer PRIMARY KEY, customer text, total numeric(10, 2), dt date);

-- Targets without a key, of several kinds, and the two shares of mapped tasks.
CREATE TABLE orders (number integer, customer text, total numeric(10, 2), dt date);
CREATE TABLE orders_0 (LIKE orders);
CREATE TABLE orders_1 (LIKE orders);
CREATE TABLE mart.orders (LIKE orders);
CREATE TABLE "Orders by day" (LIKE orders);
CREATE UNLOGGED TABLE orders_unlogged (LIKE orders);
CREATE TABLE orders_base (LIKE orders);
CREATE VIEW orders_view AS SELECT * FROM orders_base;
CREATE TABLE orders_by_month (number integer, customer text, total numeric(10, 2), dt date) PARTITION BY RANGE (dt);
CREATE TABLE orders_2026_01 PARTITION OF orders_by_month FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
CREATE TABLE orders_others PARTITION OF orders_by_month DEFAULT;

-- Targets with a key.
CREATE TABLE keyed (number integer PRIMARY KEY, customer text, total numeric(10, 2), dt date);
CREATE TABLE keyed_0 (LIKE keyed INCLUDING ALL);
CREATE TABLE keyed_1 (LIKE keyed INCLUDING ALL);
CREATE TABLE mart.keyed (LIKE keyed INCLUDING ALL);
CREATE TABLE "Keyed by number" (LIKE keyed INCLUDING ALL);
CREATE TABLE keyed_base (LIKE keyed INCLUDING ALL);
CREATE VIEW keyed_view AS SELECT * FROM keyed_base;

CREATE TABLE summed (LIKE orders);
CREATE MATERIALIZED VIEW sums AS SELECT customer, sum(total) AS total FROM summed GROUP BY customer;

CREATE TABLE identified (id uuid PRIMARY KEY, number integer, customer text, dt date);
CREATE TABLE stamped (number integer, loaded_at timestamptz, dt date, PRIMARY KEY (number, loaded_at));
CREATE TABLE created (number integer PRIMARY KEY, dt date, created_at timestamptz DEFAULT now());
CREATE TABLE numbered (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, number integer, dt date);
CREATE SEQUENCE receipts;
CREATE TABLE receipted (receipt bigint, number integer, dt date);
CREATE TABLE counts (customer text PRIMARY KEY, orders integer NOT NULL);
CREATE TABLE customer_days (dt date, customer text, orders integer, PRIMARY KEY (dt, customer));
CREATE TABLE latest (customer text PRIMARY KEY, number integer);
CREATE TABLE places (dt date, place integer, customer text, number integer, PRIMARY KEY (dt, place));
CREATE TABLE watermarks (name text PRIMARY KEY, number integer NOT NULL);
CREATE TABLE balances (dt date PRIMARY KEY, total numeric(12, 2));
CREATE TABLE marks (dt date PRIMARY KEY);
CREATE TABLE loads (dt date PRIMARY KEY, orders integer, loaded_by text);
CREATE TABLE staged (LIKE orders);
CREATE TABLE clicks_by_day (at timestamptz, day date, n integer);
