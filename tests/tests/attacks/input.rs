//! Hostile bodies, paths and headers (IN).
