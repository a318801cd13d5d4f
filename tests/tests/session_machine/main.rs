//! Random commands against sessions, and a model of what each must do.
//!
//! The model is a few plain structs that know nothing of stores. The same
//! commands go to the use cases over each adapter; where the two differ, the
//! commands are cut down to the fewest that still show it. `PROPTEST_CASES` sets
//! how many sequences are tried.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod model;
mod places;
mod trial;

use std::sync::LazyLock;

use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};
use tokio::runtime::Runtime;

use model::{Command, Model};
use places::{Forgetful, KeptInRedis, Memory, OnPostgres, Place, Sqlite};
use trial::Trial;

/// How many sequences are tried if nobody says otherwise.
const CASES: u32 = 64;

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());

struct Machine<P>(std::marker::PhantomData<P>);

impl<P: Place> StateMachineTest for Machine<P> {
    type SystemUnderTest = Trial;
    type Reference = Model;

    fn init_test(_: &Model) -> Trial {
        RUNTIME.block_on(async { Trial::on(P::stores().await).await })
    }

    fn apply(mut trial: Trial, model: &Model, command: Command) -> Trial {
        let reply = RUNTIME.block_on(trial.obey(&command));
        assert_eq!(reply, model.reply, "{command:?}");
        trial
    }

    fn teardown(trial: Trial, model: Model) {
        RUNTIME.block_on(trial.agrees_with(&model));
        RUNTIME.block_on(async { drop(trial) });
    }
}

/// The number of sequences that was asked for, or the usual one.
fn config() -> Config {
    let mut config = Config { failure_persistence: None, ..Config::default() };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = CASES;
    }
    config
}

prop_state_machine! {
    #![proptest_config(config())]
    #[test]
    fn sessions_in_memory_do_what_the_model_says(sequential 1..40 => Machine<Memory>);
}

prop_state_machine! {
    #![proptest_config(config())]
    #[test]
    fn callers_kept_in_redis_do_what_the_model_says(sequential 1..40 => Machine<KeptInRedis>);
}

prop_state_machine! {
    #![proptest_config(config())]
    #[test]
    fn sessions_in_sqlite_do_what_the_model_says(sequential 1..40 => Machine<Sqlite>);
}

prop_state_machine! {
    #![proptest_config(config())]
    #[test]
    fn sessions_in_postgres_do_what_the_model_says(sequential 1..40 => Machine<OnPostgres>);
}

/// The machine is able to fail, and tells in few commands what is wrong.
#[test]
fn a_cache_that_hears_of_no_end_is_found_out() {
    let strategy = Model::sequential_strategy(1..40);
    // The same sequences each time: how short they become depends on where one begins.
    let mut runner = TestRunner::new_with_rng(
        Config { max_shrink_iters: 4_096, ..config() },
        TestRng::deterministic_rng(RngAlgorithm::ChaCha),
    );
    let found = runner.run(&strategy, |(model, commands, seen)| {
        Machine::<Forgetful>::test_sequential(config(), model, commands, seen);
        Ok(())
    });
    let Err(TestError::Fail(_, (_, commands, _))) = found else { panic!("it is not: {found:?}") };
    assert!(commands.len() <= 3, "{commands:?}");
    let ends = |command: &Command| matches!(command, Command::End(..) | Command::EndAll(_));
    assert!(commands.iter().any(ends), "{commands:?}");
    assert!(matches!(commands.last(), Some(Command::Look(..))), "{commands:?}");
}
