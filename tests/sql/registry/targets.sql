-- run database=shop
-- A use before the link, and one after it.
CREATE PIPELINE early AS LOAD DATA LINK store 'private/team/' INTO TABLE t;
CREATE LINK store AS S3
  CREDENTIALS '{"aws_access_key_id": "lab-readonly", "aws_secret_access_key": "lab-readonly-secret"}'
  CONFIG '{"endpoint_url": "http://{minio}", "region": "us-east-1"}';
CREATE PIPELINE late AS LOAD DATA LINK store 'private/other/' INTO TABLE t;
CREATE TABLE t (a INT);
-- run database=shop
CREATE PIPELINE late AS LOAD DATA LINK store 'private/other/' INTO TABLE t;
CREATE PIPELINE another AS LOAD DATA LINK store 'private/other/' INTO TABLE t;
CREATE PIPELINE IF NOT EXISTS late AS LOAD DATA LINK store 'locked' INTO TABLE t;
CREATE PIPELINE refused AS LOAD DATA LINK store 'locked' INTO TABLE t;
CREATE PIPELINE fresh AS LOAD DATA LINK store 'empty' INTO TABLE t FORMAT JSON (a <- a);
CHECK LINK store;
-- run database=shop
-- Another target: the old one stays until the new one is let in.
CREATE OR REPLACE PIPELINE late AS LOAD DATA LINK store 'locked' INTO TABLE t;
CREATE OR REPLACE PIPELINE fresh AS LOAD DATA LINK store 'private/top*' INTO TABLE t;
-- run database=shop
DROP PIPELINE early;
DROP PIPELINE early;
DROP PIPELINE another;
DROP PIPELINE fresh;
-- run database=shop
SELECT * FROM t INTO LINK store 'private/out/part' WITH COMPRESSION;
BACKUP DATABASE shop TO LINK store "empty/backups";
RESTORE DATABASE shop FROM LINK store "empty/backups";
CREATE FUNCTION w RETURNS TABLE AS WASM FROM LINK store 'private/top.txt' WITH WIT FROM LINK store 'private/top.txt';
-- run database=shop
CREATE FUNCTION v RETURNS TABLE AS WASM FROM LINK store 'private/a.wasm' WITH WIT FROM LINK nothing 'private/a.wit';
DROP FUNCTION w;
-- run
-- Names of pipelines and links each take the database of their own.
CREATE PIPELINE other.late AS LOAD DATA LINK shop.store 'private/team/a/' INTO TABLE t;
USE other;
CREATE PIPELINE late2 AS LOAD DATA LINK store 'private' INTO TABLE t;
DROP PIPELINE late;
