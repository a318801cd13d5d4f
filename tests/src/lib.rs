//! Black-box tests: the real binary over TCP.
