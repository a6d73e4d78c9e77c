-- The shop of all lessons: six orders a day in January and February 2026, one every four hours, of five customers.
CREATE TABLE placed_orders (
    number    integer PRIMARY KEY,
    customer  text NOT NULL,
    total     numeric(10, 2) NOT NULL,
    placed_at timestamptz NOT NULL
);
INSERT INTO placed_orders
SELECT n, (ARRAY['Ada', 'Ben', 'Cleo', 'Dora', 'Emil'])[1 + n % 5], (n * 37 % 1000) / 10.0 + 1,
       timestamptz '2026-01-01 02:00Z' + n * interval '4 hours'
FROM generate_series(0, 6 * 59 - 1) AS n;
