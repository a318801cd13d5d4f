//! Putting words into mails (ML).
