//! Getting round the limits (RL).
