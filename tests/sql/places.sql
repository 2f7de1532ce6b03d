CREATE LINK q AS S3 CONFIG "{\"ä\":\"ö\",\n\"region\":\"x\",\"region\":\"y\"}" CREDENTIALS '{"a":"it''s","b":"\\\\"}';
CREATE LINK pem AS KAFKA CREDENTIALS '{"größe":"ß","ssl.key.pem":"-----BEGIN KEY-----\nsecret-marker\n-----END KEY-----"}' CONFIG '{}';
CREATE LINK good_pem AS KAFKA CREDENTIALS '{"ssl.key.pem":"-----BEGIN KEY-----\\nAA\\n-----END KEY-----"}';
CREATE LINK lines AS S3
  CREDENTIALS '{
    "aws_access_key_id": "id-marker",
    "aws_secret_access_key": "secret
marker",
    "aws_access_key_id": "id-marker"
  }';
CREATE LINK nested AS HTTP CREDENTIALS '{"headers":{"A":"secret-marker","A":"secret-marker"}}';
CREATE LINK trailing AS S3 CREDENTIALS "{\"aws_access_key_id\":\"A\",}";
CREATE LINK pattern AS S3 CONFIG '{"suffixes":["a\\%","b"]}' CREDENTIALS '{"a":"100\%"}';
CREATE LINK scalar AS S3 CREDENTIALS 'secret-marker';
CREATE LINK tab AS S3 CREDENTIALS '{"aws_access_key_id":"a	b"}';
