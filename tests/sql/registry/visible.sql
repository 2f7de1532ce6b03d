-- run defer
CREATE LINK shop.a AS KAFKA CREDENTIALS '{}';
CREATE LINK other.b AS KAFKA CREDENTIALS '{}';
GRANT SHOW LINK ON shop.* TO ada;
GRANT SHOW LINK ON *.* TO bob;
GRANT CREATE LINK ON *.* TO eve;
-- run user=ada
SELECT DATABASE_NAME, LINK FROM information_schema.LINKS;
SELECT LINK FROM information_schema.LINKS WHERE DATABASE_NAME = 'other';
-- run user=bob
SELECT DATABASE_NAME, LINK FROM information_schema.LINKS;
-- run user=eve
SELECT DATABASE_NAME, LINK FROM information_schema.LINKS;
