//! Registration and the identity of an address (RG).
