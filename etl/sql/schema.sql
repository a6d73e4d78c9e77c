-- Tables of the warehouse. Apply by hand: psql -f etl/sql/schema.sql; applying it again changes nothing.

CREATE TABLE IF NOT EXISTS users_daily (
    id          bigint NOT NULL,
    name        text,
    email       text,
    country     text,
    signup_date date,
    dt          date   NOT NULL, -- the partition: the date whose file the row came with
    UNIQUE (id, dt)
);
CREATE INDEX IF NOT EXISTS users_daily_dt ON users_daily (dt);

CREATE TABLE IF NOT EXISTS users_rejected (
    file   text   NOT NULL, -- relative to DATA_ROOT
    line   bigint NOT NULL, -- the row's first physical line, from 1
    reason text   NOT NULL,
    raw    text   NOT NULL, -- as in the file; a NUL character shows as U+2400
    dt     date   NOT NULL,
    UNIQUE (dt, file, line)
);
