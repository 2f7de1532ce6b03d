SHOW GRANTS;
GRANT SHOW LINK ON shop.* TO ada;
GRANT SHOW LINK ON shop.* TO ada;
GRANT CREATE LINK, DROP LINK, SELECT ON shop.* TO ada, 'bob'@'%';
GRANT SHOW LINK ON *.* TO bob;
GRANT SHOW LINK ON `odd ``name`.* TO 'o''neil';
SHOW GRANTS FOR ada;
SHOW GRANTS FOR bob;
SHOW GRANTS FOR 'o''neil';
SHOW GRANTS FOR nobody;
GRANT SHOW LINK ON *.* TO root;
REVOKE SHOW LINK ON *.* FROM root;
-- run user=ada
SHOW GRANTS;
SHOW GRANTS FOR ada;
SHOW GRANTS FOR bob;
GRANT SHOW LINK ON *.* TO ada;
REVOKE SHOW LINK ON shop.* FROM bob;
-- run
REVOKE SHOW LINK ON *.* FROM ada;
REVOKE DROP LINK ON shop.* FROM ada, bob;
REVOKE DROP LINK ON shop.* FROM ada;
SHOW GRANTS FOR ada;
-- run user=ada
-- linkdial: verify deferred
CREATE LINK shop.bus AS KAFKA CREDENTIALS '{}';
SHOW LINKS ON shop;
DROP LINK shop.bus;
SHOW LINKS ON other;
