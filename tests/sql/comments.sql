# a comment; with 'quotes
-- another; "one
/* and ` one
; CREATE LINK no AS S3 CREDENTIALS '{}'; */
CREATE /* here */ LINK /*!40101 a */ AS S3 -- why 'not
CREDENTIALS # {}
'{"url":"http://x--y#z/*w*/"}'; /*! CREATE LINK b AS S3 CREDENTIALS '{}' */;
--
SELECT 5--3 INTO LINK a 'bucket;not the end';
DELIMITER //
CREATE PROCEDURE p() AS BEGIN CREATE LINK inside AS S3 CREDENTIALS '{}'; END //
CREATE LINK c AS S3 CREDENTIALS '{}'//
DELIMITER ;
CREATE LINK d AS S3 CREDENTIALS '{}';
INSERT INTO t VALUES ('SELECT 1;
SELECT 2;
');
