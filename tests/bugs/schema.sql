-- What the planted bugs read and write. Each test has a database of its own with these tables.

CREATE TABLE placed_orders ( -- the source: 20 orders a day, one every 72 minutes, of 8 customers
    number    integer PRIMARY KEY,
    customer  text NOT NULL,
    total     numeric(10, 2) NOT NULL,
    placed_at timestamptz NOT NULL
);
INSERT INTO placed_orders
SELECT n, 'customer-' || n % 8, (n * 37 % 1000) / 10.0, timestamptz '2026-01-01 00:06Z' + n * interval '72 minutes'
FROM generate_series(0, 20 * 7 - 1) AS n;

CREATE TABLE orders (number integer, customer text, total numeric(10, 2), dt date);
CREATE TABLE keyed_orders (number integer PRIMARY KEY, customer text, total numeric(10, 2), dt date);
CREATE TABLE stamped_orders (
    number     integer PRIMARY KEY,
    customer   text,
    dt         date,
    attempt    integer,
    created_at timestamptz DEFAULT now()
);
CREATE TABLE identified_orders (id uuid PRIMARY KEY, number integer, customer text, dt date);
CREATE TABLE numbered_orders (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    number   integer,
    customer text,
    dt       date
);
CREATE TABLE customers (customer text PRIMARY KEY, orders integer NOT NULL);
CREATE TABLE visits (dt date, place integer, customer text, bucket integer, PRIMARY KEY (dt, place));
CREATE TABLE loads (dt date PRIMARY KEY, orders integer, loaded_by text);
CREATE TABLE load_attempts (dt date, started_at timestamptz DEFAULT now());
CREATE TABLE customer_days (dt date, customer text, orders integer, PRIMARY KEY (dt, customer));
CREATE TABLE daily_totals (dt date PRIMARY KEY, total double precision);
CREATE TABLE order_ages (number integer PRIMARY KEY, dt date, age integer);
CREATE TABLE order_log (digest text PRIMARY KEY, dt date, number integer);
CREATE TABLE latest_orders (customer text PRIMARY KEY, number integer);
CREATE TABLE first_days (customer text PRIMARY KEY, dt date);
CREATE TABLE staged_orders (number integer, customer text, total numeric(10, 2), dt date);
CREATE TABLE arrived_orders (number integer PRIMARY KEY, customer text, total numeric(10, 2), dt date);
CREATE TABLE exchanged_orders (number integer, customer text, total numeric(10, 2), dt date) PARTITION BY LIST (dt);
CREATE MATERIALIZED VIEW customer_totals AS SELECT customer, sum(total) AS total FROM orders GROUP BY customer;
CREATE TABLE documents (dt date PRIMARY KEY, document oid);
CREATE TABLE blue_orders (number integer, customer text, total numeric(10, 2), dt date);
CREATE TABLE green_orders (number integer, customer text, total numeric(10, 2), dt date);
CREATE VIEW shown_orders AS SELECT * FROM blue_orders;
