-- run database=shop
-- linkdial: target 'http://{http}/echo'
CREATE LINK score AS HTTP CREDENTIALS '{}';
CREATE EXTERNAL FUNCTION f(a INT) RETURNS INT AS REMOTE SERVICE "http://{http}/?rows" FORMAT JSON LINK score;
CREATE EXTERNAL FUNCTION g(a INT) RETURNS INT AS REMOTE SERVICE "http://{http}/" FORMAT JSON LINK score;
-- run database=shop
DROP LINK score;
DROP LINK score;
DROP LINK IF EXISTS score;
CHECK LINK score;
SHOW LINKS;
-- run database=shop
-- What still uses it is dialled again, the target of the comment is not.
CREATE LINK score AS HTTP CREDENTIALS '{}';
DROP FUNCTION f;
DROP FUNCTION g;
DROP FUNCTION g;
DROP LINK score;
-- run database=shop
DROP LINK score;
-- linkdial: target 'http://{http}/'
CREATE LINK score AS HTTP CREDENTIALS '{}';
DROP LINK score;
-- linkdial: target 'http://{http}/echo'
CREATE LINK score AS HTTP CREDENTIALS '{}';
CHECK LINK score;
