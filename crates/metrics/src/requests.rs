//! Requests by route, method and status class.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use metrics::{Counter, Histogram};

use crate::catalogue::{HTTP_DURATION, HTTP_REQUESTS};
use crate::family::{Registry, register};
use crate::{Label, Method, StatusClass};

/// The route of what has none: the paths are the clients' own.
const UNMATCHED: &str = "unmatched";

/// Requests over the routes that a server has.
pub struct Requests {
    registry: Registry,
    routes: HashMap<Box<str>, Route>,
    unmatched: Route,
}

/// The series of one route. They are registered when the first such request is
/// answered: most routes have one method and few classes.
struct Route {
    durations: Vec<OnceLock<Histogram>>,
    answers: Vec<OnceLock<Counter>>,
}

impl Route {
    fn new() -> Self {
        let methods = Method::ALL.len();
        let answers = methods * StatusClass::ALL.len();
        Self {
            durations: (0..methods).map(|_| OnceLock::new()).collect(),
            answers: (0..answers).map(|_| OnceLock::new()).collect(),
        }
    }
}

impl Requests {
    pub(crate) fn over(registry: &Registry, patterns: impl IntoIterator<Item = String>) -> Self {
        let routes = patterns.into_iter().map(|pattern| (pattern.into(), Route::new())).collect();
        Self { registry: Arc::clone(registry), routes, unmatched: Route::new() }
    }

    /// Counts an answer to a request that was routed by `pattern`, if by any.
    pub fn answered(&self, pattern: Option<&str>, method: &str, status: u16, took: Duration) {
        let known = pattern.and_then(|pattern| self.routes.get_key_value(pattern));
        let (name, route) =
            known.map_or((UNMATCHED, &self.unmatched), |(name, route)| (name, route));
        let (method, class) = (Method::named(method), StatusClass::of(status));
        if let Some(series) = route.durations.get(method.place()) {
            let new = || register(&self.registry, &HTTP_DURATION, &[name, method.value()]);
            series.get_or_init(new).record(took);
        }
        let place = method.place() * StatusClass::ALL.len() + class.place();
        if let Some(series) = route.answers.get(place) {
            let values = [name, method.value(), class.value()];
            series.get_or_init(|| register(&self.registry, &HTTP_REQUESTS, &values)).increment(1);
        }
    }
}
