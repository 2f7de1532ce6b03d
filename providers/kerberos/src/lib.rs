//! Kerberos, as links name it: keytabs, realms, key distribution centers.
