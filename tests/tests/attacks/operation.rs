//! Logs, errors, secrets and settings (OP).
