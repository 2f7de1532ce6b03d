CREATE LINK a AS S3 CREDENTIALS '{}';
/* unclosed CREATE LINK b AS S3 CREDENTIALS '{"k":"secret-marker"}';
CREATE LINK c AS S3 CREDENTIALS '{}';
-- file b.sql
CREATE LINK d AS S3 CREDENTIALS '{}'; /*! CREATE LINK e AS S3
CREDENTIALS '{}';
-- file c.sql
/*/
CREATE LINK f AS S3 CREDENTIALS '{"k":"secret-marker"}';
