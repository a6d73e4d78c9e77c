-- What the DAGs of this lesson write: the sales of each day, and the lines that are none.
CREATE TABLE sales (number integer PRIMARY KEY, customer text NOT NULL, cents integer NOT NULL, dt date NOT NULL);
CREATE TABLE rejects (dt date, line integer, text text NOT NULL, PRIMARY KEY (dt, line));
CREATE TABLE naive_sales (number integer, customer text, cents integer, dt date);
