//! What a history says of nights that are made by hand.
