CREATE TABLE prices (dt date NOT NULL, sku text NOT NULL, price integer NOT NULL);
