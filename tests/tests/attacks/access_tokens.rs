//! Forged, altered and borrowed access tokens (JW).
