//! Guessing a password many times at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::timeout;

use crate::{Answer, PASSWORD, Server, at_once, problem};

/// How long so many wrong answers may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// When the right password is tried among the wrong ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RightOne {
    /// With all others, as the 150th.
    AtOnce,
    /// As soon as so many others were answered as wrong.
    After(usize),
}

/// What 200 guesses at once came to.
#[derive(Debug)]
pub struct Guesses {
    /// How many wrong passwords were checked.
    pub checked: usize,
    /// What the right password was answered.
    pub right: Answer,
}

/// Tries 199 wrong passwords and the right one for a username, at once and over
/// all these instances. Whatever was not checked must say that the name is locked,
/// or that there is too much to hash.
pub async fn guess_at_once(instances: &[&Server], username: &str, when: RightOne) -> Guesses {
    let (wrong, enough) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
    let answers = at_once(200, |number| {
        let caller = instances[number % instances.len()].anonymous();
        let (wrong, enough) = (Arc::clone(&wrong), Arc::clone(&enough));
        let username = username.to_owned();
        async move {
            if number == 149 {
                if when != RightOne::AtOnce {
                    let enough = timeout(PATIENCE, enough.notified()).await;
                    enough.expect("so many guesses are checked");
                }
                return (true, caller.log_in_by_form(&username, PASSWORD).await);
            }
            let guess = format!("wrong password {number}");
            let answer = caller.log_in_by_form(&username, &guess).await;
            if answer.status == 401 {
                let before = wrong.fetch_add(1, Ordering::SeqCst);
                if when == RightOne::After(before + 1) {
                    enough.notify_one();
                }
            }
            (false, answer)
        }
    })
    .await;
    let (mut right, others): (Vec<_>, Vec<_>) = answers.into_iter().partition(|(is, _)| *is);
    let was_turned_away = |answer: &Answer| ![401, 503].contains(&answer.status);
    for (_, answer) in others.iter().filter(|(_, answer)| was_turned_away(answer)) {
        answer.is_problem(problem::LOCKED);
    }
    Guesses { checked: wrong.load(Ordering::SeqCst), right: right.remove(0).1 }
}
