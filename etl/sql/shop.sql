-- The shop: what lands of it, its base tables, and what is made of them. Applying it again changes nothing.

-- As it lands: no rules, so that nothing is lost before it was looked at. A row is told by (dt, line).
CREATE TABLE IF NOT EXISTS raw_customers (
    customer_id bigint,
    name        text,
    email       text,
    country     text,
    signup_date date,
    dt          date   NOT NULL, -- the partition: the day on which the row landed
    line        bigint NOT NULL
);
CREATE TABLE IF NOT EXISTS raw_products (
    product_id bigint,
    name       text,
    category   text,
    price      numeric,
    dt         date   NOT NULL,
    line       bigint NOT NULL
);
CREATE TABLE IF NOT EXISTS raw_orders (
    order_id    bigint,
    customer_id bigint,
    product_id  bigint,
    order_date  date, -- the day in the shop's time zone, as all dates here
    status      text,
    quantity    integer,
    unit_price  numeric,
    discount    numeric,
    total       numeric,
    dt          date   NOT NULL,
    line        bigint NOT NULL
);
CREATE INDEX IF NOT EXISTS raw_customers_dt ON raw_customers (dt);
CREATE INDEX IF NOT EXISTS raw_products_dt ON raw_products (dt);
CREATE INDEX IF NOT EXISTS raw_orders_dt ON raw_orders (dt);

-- The base tables: what the shop believes.
CREATE TABLE IF NOT EXISTS customers (
    customer_id bigint PRIMARY KEY,
    name        text   NOT NULL,
    email       text   NOT NULL UNIQUE CHECK (email LIKE '_%@_%'),
    country     text   NOT NULL CHECK (length(country) = 2),
    signup_date date   NOT NULL
);
CREATE TABLE IF NOT EXISTS products (
    product_id bigint         PRIMARY KEY,
    name       text           NOT NULL,
    category   text           NOT NULL,
    price      numeric(10, 2) NOT NULL CHECK (price >= 0)
);
CREATE TABLE IF NOT EXISTS orders (
    order_id    bigint         PRIMARY KEY,
    customer_id bigint         NOT NULL REFERENCES customers,
    product_id  bigint         NOT NULL REFERENCES products,
    order_date  date           NOT NULL,
    status      text           NOT NULL CHECK (status IN ('shipped', 'delivered', 'returned', 'cancelled')),
    quantity    integer        NOT NULL CHECK (quantity > 0),
    unit_price  numeric(10, 2) NOT NULL CHECK (unit_price >= 0),
    discount    numeric(12, 2) NOT NULL CHECK (discount >= 0),
    total       numeric(14, 2) NOT NULL CHECK (total = quantity * unit_price - discount)
);
CREATE INDEX IF NOT EXISTS orders_customer_id ON orders (customer_id);
CREATE INDEX IF NOT EXISTS orders_product_id ON orders (product_id);
CREATE INDEX IF NOT EXISTS orders_order_date ON orders (order_date);
