-- Receipts as the till prints them, two a day, and what the DAG of this lesson makes of them.
CREATE TABLE receipts (number integer PRIMARY KEY, dt date NOT NULL, amount text NOT NULL);
INSERT INTO receipts VALUES
    (1, '2026-01-01', '1.234,50'), (2, '2026-01-01', '-3,50'), (3, '2026-01-02', '12,00'), (4, '2026-01-02', '0,99');
CREATE TABLE amounts (number integer, dt date, cents integer);
CREATE TABLE sums (dt date PRIMARY KEY, cents integer);
