//! What browsers and caches may do with an answer (HD).
