//! Azure Blob links, dialled with the vendor's SDK.
