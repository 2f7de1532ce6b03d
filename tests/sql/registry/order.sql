-- run database=shop
-- Each statement stands alone: what is wrong keeps no other from running.
CREATE LINK one AS HTTP;
-- linkdial: target 'http://{http}/'
CREATE LINK two AS HTTP CREDENTIALS '{}';
CRATE LINK three AS HTTP CREDENTIALS '{}';
-- linkdial: target 'http://{http}/404'
CREATE LINK four AS HTTP CREDENTIALS '{}';
DROP LINK nothing;
INSERT INTO t VALUES (1);
INSERT INTO t VALUES (2);
-- linkdial: target 'http://{http}/echo'
CREATE LINK five AS HTTP CREDENTIALS '{}';
SHOW LINKS;
-- run database=shop
SELECT 1;
-- run
