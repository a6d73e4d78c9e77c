-- What the logs of a day hold; `monitor_errors` makes these tables itself. Applying it again changes nothing.

-- What has been parsed and not yet been published: nobody else's business.
CREATE TABLE IF NOT EXISTS log_staged_files (
    app        text   NOT NULL,
    lines      bigint NOT NULL,
    entries    bigint NOT NULL,
    other_days bigint NOT NULL,
    levels     jsonb  NOT NULL, -- how many entries of each level
    dt         date   NOT NULL,
    UNIQUE (dt, app)
);
CREATE TABLE IF NOT EXISTS log_staged (
    app         text   NOT NULL,
    line        bigint NOT NULL,
    lines       bigint NOT NULL,
    level       text,
    logger      text,
    time        timestamptz,
    message     text   NOT NULL,
    trace       text   NOT NULL,
    fingerprint text,            -- that of an exception; NULL where the line is in no known format
    dt          date   NOT NULL,
    UNIQUE (dt, app, line)
);

-- One row for each log.
CREATE TABLE IF NOT EXISTS log_files (
    dt         date   NOT NULL, -- the day, in UTC where the log tells its time zone
    app        text   NOT NULL,
    lines      bigint NOT NULL, -- those of all entries, of those of other days, and unparsed ones
    entries    bigint NOT NULL, -- of the day, in known formats
    unparsed   bigint NOT NULL, -- in no known format, with what follows them: all are in log_unparsed
    other_days bigint NOT NULL, -- entries of other days that are in the same log
    PRIMARY KEY (dt, app)
);
CREATE TABLE IF NOT EXISTS log_counts (
    dt      date   NOT NULL,
    app     text   NOT NULL,
    level   text   NOT NULL, -- debug, info, notice, warning, error, critical, or none
    entries bigint NOT NULL,
    PRIMARY KEY (dt, app, level)
);
-- Errors, and whatever has a stack trace: those that differ in numbers only are one.
CREATE TABLE IF NOT EXISTS log_exceptions (
    dt          date   NOT NULL,
    app         text   NOT NULL,
    fingerprint text   NOT NULL,
    level       text   NOT NULL,
    logger      text,
    message     text   NOT NULL, -- of the first one, and so is the trace
    trace       text   NOT NULL,
    entries     bigint NOT NULL,
    first_line  bigint NOT NULL,
    first_time  timestamptz,
    last_time   timestamptz,
    PRIMARY KEY (dt, app, fingerprint)
);
CREATE TABLE IF NOT EXISTS log_unparsed (
    dt    date   NOT NULL,
    app   text   NOT NULL,
    line  bigint NOT NULL, -- in the landed log, from 1
    lines bigint NOT NULL,
    text  text   NOT NULL, -- a NUL character shows as U+2400
    PRIMARY KEY (dt, app, line)
);
