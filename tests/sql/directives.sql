-- linkdial: target 'bucket/prefix' write
-- linkdial: target 'bucket/it''s'
-- linkdial: ignore define.unknown-key the cluster knows it
CREATE LINK a AS S3 CREDENTIALS '{}';
/* linkdial: verify deferred */
CREATE LINK b AS S3
-- linkdial: target "inside" read
CREDENTIALS '{}';
-- linkdial: ignore tls.expires-soon renewed on Friday
CREATE PIPELINE p AS LOAD DATA LINK b 'bucket' INTO TABLE t;
-- linkdial is fine
-- linkdial target 'no colon'
-- linkdial: taget 'x'
-- linkdial: target bucket
-- linkdial: target 'x' delete
-- linkdial: verify never
-- linkdial: ignore define.unknown-key
-- linkdial: ignore define.no-such-code because
-- linkdial: ignore authenticate.bad-secret because
--linkdial: target 'x'
CREATE LINK c AS S3 CREDENTIALS '{}'; -- linkdial: target 'behind'
-- linkdial: target 'before a table'
CREATE TABLE t (a INT);
-- linkdial: verify deferred
