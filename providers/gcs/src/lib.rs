//! Google Cloud Storage links, dialled over the XML API and with service accounts.
