-- What the DAGs of this lesson write: the orders of each day, and what each run was told about its date.
CREATE TABLE orders (number integer, customer text, total numeric(10, 2), dt date);
CREATE TABLE told (schedule text, ds text, logical_date text, interval_start text, interval_end text, run_after text);
-- A visit to the shop's page every hour, at half past, around the night in which the clocks of Berlin go forward.
CREATE TABLE visits (at timestamptz PRIMARY KEY);
INSERT INTO visits SELECT timestamptz '2026-03-26 00:30Z' + n * interval '1 hour' FROM generate_series(0, 24 * 6 - 1) AS n;
CREATE TABLE daily_visits (at timestamptz, dt date);
