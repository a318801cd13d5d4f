//! Reading and changing what is not one's own (ME).
