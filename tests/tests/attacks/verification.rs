//! Proof of an address (VE).
