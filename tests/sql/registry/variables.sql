-- run database=shop secret:TOKEN=lab-token
-- linkdial: target 'http://{http}/bearer'
CREATE LINK score AS HTTP CREDENTIALS '{"headers": {"Authorization": "Bearer ${TOKEN}"}}';
CREATE LINK lost AS HTTP CREDENTIALS '{"headers": {"Authorization": "Bearer ${NOTHING}"}}';
CHECK LINK score;
-- run database=shop
CREATE LINK score AS HTTP CREDENTIALS '{"headers": {"Authorization": "Bearer lab-token"}}';
CHECK LINK score;
-- run database=shop secret:TOKEN=m4rked
CREATE LINK score AS HTTP CREDENTIALS '{"headers": {"Authorization": "Bearer ${TOKEN}"}}';
ALTER LINK score SET CREDENTIALS '{"headers": {"Authorization": "Bearer ${TOKEN}"}}';
ALTER LINK score SET CREDENTIALS '{"headers": {"Authorization": "Bearer ${NOTHING}"}}';
-- run database=shop
-- linkdial: target 'http://{http}/'
CREATE LINK literal AS HTTP CREDENTIALS '{"headers": {"X-Template": "$${TOKEN}"}}';
-- run database=shop
CREATE LINK literal AS HTTP CREDENTIALS '{"headers": {"X-Template": "$${TOKEN}"}}';
ALTER LINK literal SET CREDENTIALS '{"headers": {"X-Template": "$${TOKEN}"}}';
CHECK LINK literal;
-- run database=shop secret:ALL={"headers":{"Authorization":"Bearer\u0020lab-token"}}
-- linkdial: target 'http://{http}/bearer'
CREATE LINK whole AS HTTP CREDENTIALS '${ALL}';
-- run database=shop secret:SECRET=m4rked-too
-- linkdial: verify deferred
CREATE LINK bus AS KAFKA CONFIG '{"note": "see ${SECRET}"}' CREDENTIALS '{"sasl.password": "${SECRET}"}';
SHOW CREATE LINK bus;
SHOW LINKS;
-- run database=shop
-- The value stays hidden in later runs that do not know the variable.
SHOW CREATE LINK bus;
SHOW LINKS;
-- run database=shop secret:ALL={"note":"m4rked-three","pin":271828}
-- linkdial: verify deferred
CREATE LINK hidden AS KAFKA CONFIG '${ALL}' CREDENTIALS '{}';
SHOW CREATE LINK hidden;
-- run database=shop
SHOW CREATE LINK hidden;
SELECT CONFIG FROM information_schema.LINKS WHERE LINK = 'hidden';
CREATE OR REPLACE LINK hidden AS KAFKA CONFIG "{\"note\": \"see <REDACTED>\"}" CREDENTIALS '{}';
