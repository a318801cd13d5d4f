//! The embedded durable store: one SQLite file.
