-- Upstream takes back the first order of {date} and changes the second one.
DELETE FROM placed WHERE number = 20 * ('{date}'::date - date '2026-01-01');
UPDATE placed SET total = 1000 WHERE number = 20 * ('{date}'::date - date '2026-01-01') + 1;
