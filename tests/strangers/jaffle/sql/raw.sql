CREATE TABLE raw_orders (dt date, customer text, amount integer);
INSERT INTO raw_orders VALUES ('2026-01-01', 'ada', 10), ('2026-01-01', 'grace', 5), ('2026-01-02', 'ada', 7);
