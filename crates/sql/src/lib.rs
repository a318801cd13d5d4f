//! The relational schema, its rows and its queries.
