-- run
-- linkdial: target 'http://{http}/'
CREATE LINK shop.a AS HTTP CREDENTIALS '{}';
-- linkdial: target 'http://{http}/'
CREATE LINK other.b AS HTTP CREDENTIALS '{}';
GRANT SHOW LINK ON shop.* TO ada;
-- run user=ada database=shop
-- What is done for the first link stays done.
CREATE FUNCTION w RETURNS TABLE AS WASM FROM LINK a 'http://{http}/?w' WITH WIT FROM LINK other.b 'http://{http}/?wit';
-- run database=shop
-- Targets that change before an ALTER: the link is dialled with those that are left.
CREATE OR REPLACE FUNCTION w RETURNS TABLE AS WASM FROM LINK other.b 'http://{http}/?wit';
ALTER LINK a SET CREDENTIALS '{"headers": {"X-Shop": "1"}}';
ALTER LINK other.b SET CREDENTIALS '{"headers": {"X-Shop": "1"}}';
DROP FUNCTION w;
ALTER LINK other.b SET CREDENTIALS '{"headers": {"X-Shop": "2"}}';
