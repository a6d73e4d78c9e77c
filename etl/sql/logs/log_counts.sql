-- How many entries of each level each app has.
INSERT INTO log_counts (dt, app, level, entries)
SELECT f.dt, f.app, l.key, l.value::bigint
FROM log_staged_files AS f, jsonb_each_text(f.levels) AS l
WHERE f.dt = %(day)s
