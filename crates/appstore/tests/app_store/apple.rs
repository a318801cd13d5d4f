//! What Apple wrote judges the simulator and the adapter: its library from `PyPI`
//! (`tests/run.sh` installs it), and the certificates that its library is
//! tested with.

mod library;
mod vectors;
