//! Ends that must be ends (LO).
