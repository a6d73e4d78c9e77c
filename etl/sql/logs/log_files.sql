-- How much each log of the day holds.
INSERT INTO log_files (dt, app, lines, entries, unparsed, other_days)
SELECT f.dt, f.app, f.lines, f.entries, count(s.line), f.other_days
FROM log_staged_files AS f
LEFT JOIN log_staged AS s ON s.dt = f.dt AND s.app = f.app AND s.fingerprint IS NULL
WHERE f.dt = %(day)s
GROUP BY f.dt, f.app, f.lines, f.entries, f.other_days
