//! Using up what everybody needs (DO).
