CREATE EXTENSION IF NOT EXISTS pgcrypto;
CREATE TABLE events (dt date NOT NULL, name text NOT NULL, fingerprint text NOT NULL);
