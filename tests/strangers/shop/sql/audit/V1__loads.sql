CREATE TABLE loads (dt date PRIMARY KEY, rows integer NOT NULL);
