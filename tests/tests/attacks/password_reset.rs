//! Taking accounts over by a reset (PR).
