-- run database=shop
-- linkdial: target 'http://{http}/'
CREATE LINK open AS HTTP CREDENTIALS '{}';
CREATE EXTERNAL FUNCTION f(a INT) RETURNS INT AS REMOTE SERVICE "http://{http}/?rows" FORMAT JSON LINK open;
-- run plan database=shop
-- linkdial: target 'http://{http}/bearer'
CREATE LINK score AS HTTP CREDENTIALS '{"headers": {"Authorization": "Bearer lab-token"}}';
ALTER LINK score SET CREDENTIALS '{"headers": {"Authorization": "Bearer m4rked"}}';
ALTER LINK score SET CREDENTIALS '{"headers": {"Authorization": "Bearer lab-token", "X-Shop": "1"}}';
CREATE LINK score AS HTTP CREDENTIALS '{}';
DROP LINK score;
DROP LINK score;
CREATE LINK open AS HTTP CREDENTIALS '{}';
ALTER LINK open SET CREDENTIALS '{"headers": {"X-Shop": "1"}}';
SHOW CREATE LINK open;
CREATE EXTERNAL FUNCTION g(a INT) RETURNS INT AS REMOTE SERVICE "http://{http}/echo" FORMAT JSON LINK open;
DROP FUNCTION f;
DROP LINK open;
-- linkdial: verify deferred
CREATE LINK bus AS KAFKA CREDENTIALS '{}';
CREATE LINK bus2 AS KAFKA CREDENTIALS '{}';
GRANT SHOW LINK ON shop.* TO ada;
REVOKE SHOW LINK ON shop.* FROM ada;
SHOW GRANTS FOR ada;
-- run plan until=define database=shop
CREATE LINK store AS S3 CREDENTIALS '{}' CONFIG '{"region": "us-east-1"}';
CREATE PIPELINE p AS LOAD DATA LINK store 'bucket' INTO TABLE t;
-- run plan defer database=shop
CREATE LINK bus AS KAFKA CREDENTIALS '{}';
