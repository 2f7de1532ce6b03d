CREATE LINK `my` AS MYSQL CONFIG "{\"database.hostname\":\"db1\",\n\"database.port\":3306}" CREDENTIALS <CREDENTIALS REDACTED>;
CREATE LINK `my``own` AS S3 CREDENTIALS '<CREDENTIALS REDACTED>' CONFIG '{}';
CREATE LINK `good``one` AS MYSQL CONFIG "{\"database.hostname\":\"db1\",\n\"database.port\":3306}";
CREATE LINK odd AS S3 CREDENTIALS <secret-marker>;
