//! Labels, whose values are all known when the program is built: however many clients
//! come, the number of series stays the same.

/// One label's values.
pub trait Label: Copy + 'static {
    /// All values, in order.
    const ALL: &'static [Self];

    /// Its place among them.
    fn place(self) -> usize;

    /// The value as Prometheus reads it.
    fn value(self) -> &'static str;
}

/// The labels of a family of series.
pub trait Labels: Copy + 'static {
    /// All combinations, in order.
    fn all() -> Vec<Self>;

    /// Its place among them.
    fn place(self) -> usize;

    /// The values, in the order of the names in the catalogue.
    fn values(self) -> Vec<&'static str>;
}

impl Labels for () {
    fn all() -> Vec<Self> {
        vec![()]
    }

    fn place(self) -> usize {
        0
    }

    fn values(self) -> Vec<&'static str> {
        Vec::new()
    }
}

impl<A: Label> Labels for (A,) {
    fn all() -> Vec<Self> {
        A::ALL.iter().map(|a| (*a,)).collect()
    }

    fn place(self) -> usize {
        self.0.place()
    }

    fn values(self) -> Vec<&'static str> {
        vec![self.0.value()]
    }
}

impl<A: Label, B: Label> Labels for (A, B) {
    fn all() -> Vec<Self> {
        A::ALL.iter().flat_map(|a| B::ALL.iter().map(|b| (*a, *b))).collect()
    }

    fn place(self) -> usize {
        self.0.place() * B::ALL.len() + self.1.place()
    }

    fn values(self) -> Vec<&'static str> {
        vec![self.0.value(), self.1.value()]
    }
}

impl<A: Label, B: Label, C: Label> Labels for (A, B, C) {
    fn all() -> Vec<Self> {
        let pairs = <(A, B)>::all();
        pairs.into_iter().flat_map(|(a, b)| C::ALL.iter().map(move |c| (a, b, *c))).collect()
    }

    fn place(self) -> usize {
        (self.0, self.1).place() * C::ALL.len() + self.2.place()
    }

    fn values(self) -> Vec<&'static str> {
        vec![self.0.value(), self.1.value(), self.2.value()]
    }
}

/// Declares labels as enums, each value with its text.
macro_rules! labels {
    ($($(#[$about:meta])+ $name:ident { $($(#[$told:meta])+ $variant:ident = $value:literal,)+ })+) => {
        $(
            $(#[$about])+
            #[derive(Clone, Copy, Debug, PartialEq, Eq)]
            pub enum $name { $($(#[$told])+ $variant,)+ }

            impl Label for $name {
                const ALL: &'static [Self] = &[$(Self::$variant,)+];

                fn place(self) -> usize {
                    self as usize
                }

                fn value(self) -> &'static str {
                    match self { $(Self::$variant => $value,)+ }
                }
            }
        )+
    };
}
pub(crate) use labels;
