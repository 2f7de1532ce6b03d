-- run database=shop
-- Nothing that hangs on a refused link is tried.
CREATE LINK score AS HTTP CREDENTIALS '{"headers": {"Authorization": "Bearer m4rked"}}';
CREATE EXTERNAL FUNCTION f(a INT) RETURNS INT AS REMOTE SERVICE "http://{http}/bearer" FORMAT JSON LINK score;
CREATE EXTERNAL FUNCTION g(a INT) RETURNS INT AS REMOTE SERVICE "http://{http}/" FORMAT JSON LINK score;
ALTER LINK score SET CREDENTIALS '{}';
DROP LINK score;
DROP LINK IF EXISTS score;
CHECK LINK score;
SHOW CREATE LINK score;
CREATE LINK broken AS HTTP CREDENTIALS '{}' CREDENTIALS '{}';
CREATE EXTERNAL FUNCTION h(a INT) RETURNS INT AS REMOTE SERVICE "http://{http}/" FORMAT JSON LINK broken;
CREATE EXTERNAL FUNCTION i(a INT) RETURNS INT AS REMOTE SERVICE "http://{http}/" FORMAT JSON LINK unknown;
-- run database=shop
-- linkdial: target 'http://{http}/bearer'
CREATE LINK score AS HTTP CREDENTIALS '{"headers": {"Authorization": "Bearer m4rked"}}';
-- A second try is one of its own.
-- linkdial: target 'http://{http}/bearer'
CREATE LINK score AS HTTP CREDENTIALS '{"headers": {"Authorization": "Bearer lab-token"}}';
CHECK LINK score;
-- run database=shop
-- Answers that prove nothing let no link in.
-- linkdial: target 'http://{http}/429'
CREATE LINK throttled AS HTTP CREDENTIALS '{}';
-- linkdial: target 'http://{http}/405'
-- linkdial: ignore access.method-refused it wants POST
CREATE LINK posted AS HTTP CREDENTIALS '{}';
-- run database=shop defer
-- linkdial: target 'http://{http}/429'
CREATE LINK throttled AS HTTP CREDENTIALS '{}';
