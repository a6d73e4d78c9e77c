CREATE EXTENSION "uuid-ossp";
CREATE TABLE orders (id serial PRIMARY KEY, dt date, what text);
CREATE TABLE lines (order_id integer REFERENCES orders, number integer);
CREATE TABLE notes (order_id integer, dt date);
CREATE TABLE versions (number integer, dt date PRIMARY KEY, valid_to date);
CREATE TABLE loads (dt date);
