-- run database=shop
-- linkdial: verify deferred
CREATE LINK bus AS KAFKA CREDENTIALS '{}'
  CONFIG '{"security.protocol": "plaintext", "sasl.pasword": "m4rked", "passphrase": "m4rked-too", "pin": 271828, "more": {"a": ["m4rked"]}, "spoof.dns": {"a:9092": "b:19092"}}';
-- linkdial: verify deferred
CREATE LINK documents AS MONGODB CREDENTIALS '{}' CONFIG '{"mongodb.hosts": "h0:27017", "mongodb.pasword": "m4rked"}';
-- run database=shop
SHOW CREATE LINK bus;
SHOW CREATE LINK documents;
SHOW LINKS;
SELECT CONFIG FROM information_schema.LINKS;
