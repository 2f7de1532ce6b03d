-- run database=shop
-- A pipeline that is dropped before its link comes back is no user of it.
-- linkdial: target 'http://{http}/'
CREATE LINK score AS HTTP CREDENTIALS '{}';
CREATE EXTERNAL FUNCTION f(a INT) RETURNS INT AS REMOTE SERVICE "http://{http}/echo" FORMAT JSON LINK score;
DROP LINK score;
-- run database=shop
DROP FUNCTION f;
-- linkdial: target 'http://{http}/bearer'
CREATE LINK score AS HTTP CREDENTIALS '{"headers": {"Authorization": "Bearer lab-token"}}';
-- linkdial: target 'http://{http}/'
CREATE LINK other AS HTTP CREDENTIALS '{}';
-- run database=shop
CREATE EXTERNAL FUNCTION g(a INT) RETURNS INT AS REMOTE SERVICE "http://{http}/404" FORMAT JSON LINK score;
CREATE EXTERNAL FUNCTION h(a INT) RETURNS INT AS REMOTE SERVICE "http://{http}/bearer" FORMAT JSON LINK score;
DROP LINK score;
