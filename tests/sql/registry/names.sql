-- Nothing says which database.
CREATE LINK score AS HTTP CREDENTIALS '{}';
ALTER LINK score SET CREDENTIALS '{}';
DROP LINK score;
DROP LINK IF EXISTS score;
CHECK LINK score;
SHOW LINKS;
SHOW CREATE LINK score;
CREATE PIPELINE p AS LOAD DATA LINK score 'http://{http}/' INTO TABLE t;
SHOW LINKS ON nowhere;
-- run
USE shop;
-- linkdial: target 'http://{http}/'
CREATE LINK Score AS HTTP CREDENTIALS '{}';
-- linkdial: target 'http://{http}/echo'
CREATE LINK other.Score AS HTTP CREDENTIALS '{}';
USE other;
SHOW LINKS;
SHOW LINKS ON shop;
-- run database=shop
CHECK LINK Score;
CHECK LINK score;
ALTER LINK score SET CREDENTIALS '{}';
SHOW CREATE LINK score;
-- linkdial: target 'http://{http}/'
CREATE LINK score AS HTTP CREDENTIALS '{}';
USE `odd ``name`;
-- linkdial: target 'http://{http}/'
CREATE LINK `odd ``link` AS HTTP CREDENTIALS '{}';
SHOW CREATE LINK `odd ``link`;
DROP LINK `odd ``name`.`odd ``link`;
