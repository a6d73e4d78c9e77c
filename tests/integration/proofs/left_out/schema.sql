CREATE TABLE orders (id integer, dt date);
CREATE TABLE audit (id integer, dt date);
CREATE TABLE part_1 (id integer, dt date);
CREATE TABLE part_2 (id integer, dt date);
CREATE TABLE once (dt date PRIMARY KEY);
CREATE TABLE loads (dt date);
