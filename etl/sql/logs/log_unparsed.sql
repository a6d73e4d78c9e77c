-- The day's lines that are in no known format, with the lines that follow them.
INSERT INTO log_unparsed (dt, app, line, lines, text)
SELECT dt, app, line, lines, CASE WHEN lines > 1 THEN message || E'\n' || trace ELSE message END
FROM log_staged
WHERE dt = %(day)s AND fingerprint IS NULL
