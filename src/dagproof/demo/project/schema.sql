CREATE TABLE orders (id uuid PRIMARY KEY, dt date NOT NULL, amount integer NOT NULL);
