-- What the DAGs of this lesson write.
CREATE TABLE order_ages (number integer PRIMARY KEY, dt date, age integer);
CREATE TABLE boxes (number integer PRIMARY KEY, dt date, customer text, box integer);
CREATE TABLE newest_orders (number integer PRIMARY KEY, dt date, placed date);
CREATE TABLE labels (
    number integer PRIMARY KEY, dt date, month integer, batch text, loaded_at timestamptz, week integer, lucky integer,
    seconds bigint
);
CREATE TABLE deliveries (number integer PRIMARY KEY, dt date, delivered date);
CREATE TABLE hours (number integer PRIMARY KEY, dt date, hour integer);
