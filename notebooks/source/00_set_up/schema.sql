-- What the DAGs of this lesson write.
CREATE TABLE greetings (dt date, words text);
