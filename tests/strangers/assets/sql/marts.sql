CREATE TABLE orders (dt date, amount integer); CREATE TABLE revenue (dt date PRIMARY KEY, total integer); CREATE TABLE revenue_log (dt date, total integer);
