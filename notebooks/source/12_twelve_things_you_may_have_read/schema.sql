-- What the DAGs of this lesson write.
CREATE TABLE upserted (id uuid PRIMARY KEY, number integer, dt date);
CREATE TABLE stamped (day date, orders integer);
