-- run database=shop defer
-- linkdial: target 'http://{http}/'
CREATE LINK open AS HTTP CREDENTIALS '{}';
-- linkdial: target 'http://{http}/bearer'
CREATE LINK score AS HTTP CREDENTIALS '{"headers": {"Authorization": "Bearer m4rked"}}';
-- linkdial: target 'http://{closed}/'
CREATE LINK away AS HTTP CREDENTIALS '{}';
CREATE LINK no_target AS HTTP CREDENTIALS '{}';
CREATE LINK no_json AS HTTP CREDENTIALS '{"a"';
-- run database=shop
-- Deferred again is nothing new; without the comment it has to pass now.
-- linkdial: verify deferred
CREATE LINK score AS HTTP CREDENTIALS '{"headers": {"Authorization": "Bearer m4rked"}}';
CREATE LINK score AS HTTP CREDENTIALS '{"headers": {"Authorization": "Bearer m4rked"}}';
CHECK LINK score;
ALTER LINK score SET CREDENTIALS '{"headers": {"Authorization": "Bearer lab-token"}}';
SHOW LINKS;
-- run database=shop defer until=define
CREATE LINK offline AS HTTP CREDENTIALS '{}';
-- linkdial: target 'http://{http}/'
CREATE LINK offline_too AS HTTP CREDENTIALS '{}';
-- run database=shop
-- linkdial: verify deferred
-- linkdial: target 'http://{http}/bearer'
CREATE LINK later AS HTTP CREDENTIALS '{}';
CREATE EXTERNAL FUNCTION f(a INT) RETURNS INT AS REMOTE SERVICE "http://{http}/" FORMAT JSON LINK later;
-- linkdial: verify deferred
CREATE LINK no_json AS HTTP CREDENTIALS '{"a"';
