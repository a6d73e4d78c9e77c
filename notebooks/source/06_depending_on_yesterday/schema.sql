-- What was counted in the till each evening, and the balance that the DAGs of this lesson keep.
CREATE TABLE till (dt date PRIMARY KEY, cash numeric(10, 2) NOT NULL);
INSERT INTO till SELECT date '2026-01-01' + n, 100 + 10 * n FROM generate_series(0, 9) AS n;
CREATE TABLE balances (dt date, cash numeric(10, 2), balance numeric(10, 2));
-- What came into the store each day and what went out, and the stock in the evening.
CREATE TABLE moved (dt date PRIMARY KEY, pieces integer NOT NULL);
INSERT INTO moved SELECT date '2026-01-01' + n, 50 - 8 * n FROM generate_series(0, 9) AS n;
CREATE TABLE stock (dt date, pieces integer);
-- What the task of exercise 1 is to do on a date: ok, fail or skip.
CREATE TABLE script (dt date PRIMARY KEY, what text NOT NULL);
