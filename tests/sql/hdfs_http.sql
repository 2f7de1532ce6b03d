CREATE LINK h AS HDFS CREDENTIALS '' CONFIG '{"hadoop.security.authentication":"kerberos","kerberos.user":"loader@EXAMPLE.COM","kerberos.keytab":"/etc/security/keytabs/loader.keytab","dfs.client.use.datanode.hostname":true}';
CREATE LINK h2 AS HDFS CREDENTIALS '{}' CONFIG '{}';                       -- simple authentication
CREATE PIPELINE ph AS LOAD DATA LINK h 'hdfs://nn1.example.com:8020/data/in/' INTO TABLE t;
CREATE LINK w AS HTTP CREDENTIALS '{"headers":{"Authorization":"Bearer token-1"}}';
CREATE EXTERNAL FUNCTION score(a INT, link INT) RETURNS INT AS REMOTE SERVICE "https://ml.example.com/score" FORMAT JSON LINK w;
CREATE OR REPLACE EXTERNAL FUNCTION plain(a INT) RETURNS INT AS REMOTE SERVICE "https://ml.example.com/plain" FORMAT ROWDAT_1;
