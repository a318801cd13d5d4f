//! The portcullis binary: reads settings, picks adapters, starts.
