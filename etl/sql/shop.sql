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

-- How good the raw data was, as of each day.
CREATE TABLE IF NOT EXISTS quality_results (
    check_name text          NOT NULL,
    table_name text          NOT NULL,
    dimension  text          NOT NULL,
    weight     integer       NOT NULL,
    rows       bigint        NOT NULL,
    failed     bigint        NOT NULL,
    score      numeric(7, 4) NOT NULL, -- the share of rows that hold, of 100
    sample     jsonb         NOT NULL, -- keys of the first rows that do not hold
    dt         date          NOT NULL,
    UNIQUE (dt, check_name)
);
CREATE TABLE IF NOT EXISTS quality_scores (
    score numeric(7, 4) NOT NULL, -- of 100, over all checks
    grade text          NOT NULL, -- A+ to F
    dt    date          PRIMARY KEY
);

-- What is made of the orders; see etl/sql/refresh/. Revenue is of delivered orders, refunds are of returned ones.
CREATE TABLE IF NOT EXISTS customer_summary (
    customer_id bigint         PRIMARY KEY, -- every customer, those without an order too
    orders      bigint         NOT NULL,
    delivered   bigint         NOT NULL,
    returned    bigint         NOT NULL,
    cancelled   bigint         NOT NULL,
    units       bigint         NOT NULL, -- in delivered orders
    revenue     numeric(20, 2) NOT NULL,
    refunds     numeric(20, 2) NOT NULL,
    first_order date,
    last_order  date
);
CREATE TABLE IF NOT EXISTS product_summary (
    product_id bigint         PRIMARY KEY, -- every product, those without an order too
    orders     bigint         NOT NULL,
    delivered  bigint         NOT NULL,
    returned   bigint         NOT NULL,
    cancelled  bigint         NOT NULL,
    units      bigint         NOT NULL,
    revenue    numeric(20, 2) NOT NULL,
    refunds    numeric(20, 2) NOT NULL,
    place      bigint         NOT NULL -- by revenue, from 1; equal ones share a place
);
CREATE TABLE IF NOT EXISTS daily_sales (
    day       date           PRIMARY KEY, -- every day from the first order to the last, those without one too
    orders    bigint         NOT NULL,
    delivered bigint         NOT NULL,
    returned  bigint         NOT NULL,
    cancelled bigint         NOT NULL,
    units     bigint         NOT NULL,
    revenue   numeric(20, 2) NOT NULL,
    refunds   numeric(20, 2) NOT NULL,
    customers bigint         NOT NULL -- with an order on the day
);
CREATE TABLE IF NOT EXISTS monthly_sales (
    month     date           PRIMARY KEY, -- its first day; every month from the first order to the last
    orders    bigint         NOT NULL,
    delivered bigint         NOT NULL,
    returned  bigint         NOT NULL,
    cancelled bigint         NOT NULL,
    units     bigint         NOT NULL,
    revenue   numeric(20, 2) NOT NULL,
    refunds   numeric(20, 2) NOT NULL,
    customers bigint         NOT NULL, -- with an order in the month
    growth    numeric                  -- of the revenue since the month before, 0.1 is a tenth; NULL if that had none
);

-- What a week's files had that could not be loaded, and what of the raw tables did not become a row of a base table.
CREATE TABLE IF NOT EXISTS raw_rejected (
    table_name text   NOT NULL,
    line       bigint NOT NULL, -- in the landed file, from 1
    reason     text   NOT NULL,
    raw        text   NOT NULL, -- as in the file; a NUL character shows as U+2400
    dt         date   NOT NULL,
    UNIQUE (dt, table_name, line)
);
CREATE TABLE IF NOT EXISTS shop_rejected (
    table_name text   NOT NULL,
    line       bigint NOT NULL,
    reason     text   NOT NULL,
    key        text,
    dt         date   NOT NULL,
    UNIQUE (dt, table_name, line)
);
