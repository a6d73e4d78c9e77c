-- Goods that customers sent back: three on January 1, one on January 2, none on January 3, a mistyped one on January 4.
CREATE TABLE returned (dt date, customer text, total numeric(10, 2));
INSERT INTO returned VALUES
    ('2026-01-01', 'Ada', 4.50), ('2026-01-01', 'Ben', 12.00), ('2026-01-01', 'Cleo', 7.10),
    ('2026-01-02', 'Ben', 3.20), ('2026-01-04', 'Emil', -5.00);
-- What the DAGs of this lesson write: a refund for each customer, and one line for each day.
CREATE TABLE refunds (dt date, customer text, total numeric(10, 2));
CREATE TABLE days (dt date, refunds integer, total numeric(10, 2));
CREATE TABLE published (dt date, what text);
-- What the tasks of some DAGs are to do on a date: ok, skip or fail.
CREATE TABLE script (dt date PRIMARY KEY, one text NOT NULL, other text NOT NULL);
INSERT INTO script VALUES
    ('2026-01-01', 'ok', 'ok'), ('2026-01-02', 'ok', 'skip'), ('2026-01-03', 'skip', 'skip'),
    ('2026-01-04', 'ok', 'fail'), ('2026-01-05', 'ok', 'fail'), ('2026-01-06', 'fail', 'skip');
