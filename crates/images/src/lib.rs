//! Portraits of what people send as pictures.
//!
//! A picture is decoded within bounds, turned as its camera says, scaled down and
//! encoded anew. What is kept holds no place where it was taken, no preview of
//! what was cut off, and nothing behind its end that another program would take
//! for something else.

mod maker;
mod portrait;

pub use maker::PortraitMaker;
pub use portrait::{MAX_SIDE, PORTRAIT_SIDE};
