-- The day's exceptions, those that are alike together; of each kind the first is shown.
INSERT INTO log_exceptions
    (dt, app, fingerprint, level, logger, message, trace, entries, first_line, first_time, last_time)
SELECT
    s.dt, s.app, s.fingerprint, s.level, s.logger, s.message, s.trace, g.entries, s.line, g.first_time, g.last_time
FROM (
    SELECT
        dt, app, fingerprint, count(*) AS entries, min(line) AS line, min(time) AS first_time, max(time) AS last_time
    FROM log_staged
    WHERE dt = %(day)s AND fingerprint IS NOT NULL
    GROUP BY dt, app, fingerprint
) AS g
JOIN log_staged AS s USING (dt, app, line)
