//! Refresh tokens and the sessions behind them (RF).
