//! The HTTP contract: requests to use cases, outcomes to documents.
