//! Laws can fail: adapters with one deliberate defect each break them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod broken;

use std::future::Future;
use std::sync::Arc;

use broken::{Broken, BrokenHasher, BrokenLimiter, BrokenTokens, Defect, broken_route};
use portcullis_conformance::{
    Stores, accounts, accounts_archive, audit, callers, hashing, limiter, logins, mailbox, mailer,
    mailer_faults, one_time_tokens, opaque_tokens, outbox, sessions, signing, units,
};
use portcullis_domain::ports::{AccessTokens, OpaqueTokens, PasswordHasher, RateLimiter};

/// Runs a law against an adapter with that defect; says whether it failed.
async fn fails<F>(defect: Defect, law: impl FnOnce(Arc<Stores>) -> F) -> bool
where
    F: Future<Output = ()> + Send + 'static,
{
    let stores = Arc::new(Stores::of(Broken::new(defect), ()));
    tokio::spawn(law(stores)).await.is_err()
}

macro_rules! broken_by {
    ($($defect:ident => $module:ident::$law:ident;)+) => {
        mod each_law_is_broken_by_its_defect {
            use super::*;
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $law() {
                    let law = |stores: Arc<Stores>| async move { $module::$law(&stores).await };
                    assert!(!fails(Defect::Nothing, law).await, "it fails without a defect");
                    assert!(fails(Defect::$defect, law).await, "it holds in spite of the defect");
                }
            )+
        }
    };
}

broken_by! {
    LoseFields => accounts::every_field_of_a_user_is_read_as_it_was_written;
    FindNobody => accounts::a_user_is_found_by_each_identifier_in_any_case;
    SwallowConflicts => accounts::an_address_belongs_to_one_user;
    SwallowConflicts => accounts::a_username_belongs_to_one_user_in_any_case;
    TakeEverybodyForOne => accounts::users_without_a_username_do_not_collide;
    CommitNothing => accounts::a_conflict_does_not_end_the_unit;
    CountDown => accounts::numbers_count_up;
    CountDown => accounts::a_refused_account_uses_up_no_number;
    SwallowConflicts => accounts::of_64_parallel_registrations_one_wins;
    LoseFields => accounts::the_first_verification_counts;
    CommitNothing => accounts::a_new_name_replaces_the_old_one_and_its_parts;
    UpgradeAnything => accounts::a_hash_is_upgraded_only_from_the_one_that_was_checked;
    PurgeNothing => accounts::only_stale_unverified_accounts_are_removed;
    PurgeNothing => accounts::a_removed_user_takes_sessions_and_tokens_along;
    TellSecrets => accounts::debug_and_errors_tell_no_secret;

    LoseFields => accounts_archive::every_field_of_an_imported_account_is_kept;
    ImportNothing => accounts_archive::an_imported_account_is_found_by_each_identifier;
    ForgetIdentity => accounts_archive::importing_again_finds_everything_there;
    Overwrite => accounts_archive::an_account_that_is_there_is_left_as_it_is;
    BlameTheAddress => accounts_archive::a_conflict_names_what_is_held;
    AllOrNothing => accounts_archive::a_conflict_keeps_only_its_own_account_out;
    LookBeforehand => accounts_archive::of_two_in_a_batch_that_share_a_value_the_first_is_added;
    ListBackwards => accounts_archive::outcomes_come_in_the_order_of_their_accounts;
    CountAnew => accounts_archive::a_kept_number_is_not_counted_again;
    CountDown => accounts_archive::an_account_without_a_number_is_counted;
    CompareByImporting => accounts_archive::comparing_tells_what_is_there_and_writes_nothing;
    ListBackwards => accounts_archive::accounts_are_exported_page_by_page_in_the_order_of_their_numbers;
    LoseFields => accounts_archive::what_is_exported_is_what_was_imported;
    LookBeforehand => accounts_archive::of_parallel_imports_of_one_account_one_adds_it;
    CommitHalf => accounts_archive::an_import_cancelled_at_any_moment_adds_all_of_a_batch_or_nothing;
    CutBatches => accounts_archive::many_accounts_fit_into_one_batch;

    BeUnavailable => units::a_store_that_is_there_answers;
    CommitOnDrop => units::a_dropped_unit_leaves_nothing_behind;
    CommitNothing => units::a_write_is_invisible_until_it_is_committed;
    HoldLocksForLong => units::a_dropped_unit_frees_its_locks_at_once;
    CommitOnDrop => units::a_unit_cancelled_at_any_moment_leaves_the_store_whole;
    AdvanceTwice => units::steps_cancelled_at_any_moment_leave_the_store_whole;
    IgnoreCaps => units::parallel_units_lose_no_update;

    LoseFields => one_time_tokens::every_field_of_a_token_is_read_as_it_was_written;
    ConsumeAgainAndAgain => one_time_tokens::a_token_is_spent_once;
    IgnoreExpiry => one_time_tokens::a_token_works_until_just_before_it_expires;
    IgnorePurpose => one_time_tokens::a_token_works_for_its_purpose_only;
    ConsumeAgainAndAgain => one_time_tokens::of_64_parallel_presentations_one_spends_the_token;
    ConsumeAgainAndAgain => one_time_tokens::a_token_that_is_there_is_not_replaced;
    CommitNothing => one_time_tokens::spending_all_spends_that_users_tokens_of_that_purpose;
    PurgeNothing => one_time_tokens::only_expired_tokens_are_removed;

    LoseFields => sessions::every_field_of_a_session_is_read_as_it_was_written;
    EndAnything => sessions::an_unknown_session_is_nobodys;
    AdvanceTwice => sessions::a_rotating_session_moves_on_one_by_one;
    AdvanceNever => sessions::a_fixed_session_stays_where_it_is;
    IgnoreExpiry => sessions::a_session_moves_until_just_before_it_expires;
    IgnoreSeed => sessions::a_foreign_seed_moves_nothing;
    AdvanceAgainAndAgain => sessions::of_64_parallel_rotations_one_wins;
    EndAnything => sessions::a_session_is_ended_once_and_by_its_user_only;
    ReviveSessions => sessions::an_ended_session_never_moves_again;
    ReviveSessions => sessions::after_an_acknowledged_end_nothing_moves;
    CommitNothing => sessions::ending_all_ends_that_users_live_sessions_only;
    PurgeNothing => sessions::only_expired_sessions_are_removed;

    LoseFields => callers::a_live_session_names_its_user;
    CacheForEver => callers::after_an_acknowledged_end_nobody_is_named;
    CacheForEver => callers::after_a_committed_end_nobody_is_named;
    CommitOnDrop => callers::an_end_that_was_dropped_ends_nothing;
    CacheForEver => callers::a_changed_user_is_seen_at_once;
    CacheForEver => callers::readers_under_way_revive_nothing;

    FindNobody => logins::an_attempt_names_the_account_if_there_is_one;
    NeverLock => logins::the_last_permitted_failure_locks_until_its_time_is_over;
    NeverLock => logins::an_unknown_identifier_locks_just_the_same;
    NeverLock => logins::of_64_parallel_attempts_the_permitted_ones_pass;
    MixSources => logins::one_source_does_not_lock_another;
    NeverLock => logins::many_sources_lock_the_identifier_for_all;
    NeverForgive => logins::opening_a_session_forgives_and_notes_the_login;
    NeverForgive => logins::forgiving_starts_the_count_afresh;
    NeverForgive => logins::a_withdrawn_attempt_does_not_count;
    NeverForgive => logins::a_withdrawal_takes_nothing_from_others;
    IgnorePasswordChange => logins::a_changed_password_opens_no_session;
    CommitNothing => logins::clearing_an_identifier_forgives_every_source;
    PurgeNothing => logins::only_stale_counters_are_removed;

    LoseFields => outbox::every_field_of_a_letter_is_read_as_it_was_written;
    IgnoreLeases => outbox::a_claimed_letter_is_held_until_its_lease_ends;
    IgnoreLeases => outbox::of_parallel_workers_each_letter_is_held_by_one;
    ClaimTooMuch => outbox::letters_are_claimed_oldest_first_and_a_few_at_a_time;
    IgnoreTurns => outbox::recipients_take_turns;
    LoseFields => outbox::an_operator_sees_what_is_owed;
    NeverSettle => outbox::a_revived_letter_is_due_again;
    NeverSettle => outbox::a_settled_letter_is_done;
    NeverSettle => outbox::a_postponed_letter_is_due_at_its_time;
    NeverSettle => outbox::a_buried_letter_stays_buried;
    NeverSettle => outbox::a_released_letter_is_due_at_once_and_was_not_tried;
    IgnoreCaps => outbox::a_recipient_gets_so_many_of_a_kind_in_a_window;
    CommitOnDrop => outbox::a_letter_of_a_dropped_unit_is_not_owed;
    PurgeNothing => outbox::only_settled_letters_are_removed;

    ListBackwards => mailbox::messages_are_listed_newest_first;
    IgnoreFilters => mailbox::a_recipients_messages_are_found;
    KeepTwice => mailbox::a_message_is_kept_once;
    NeverClear => mailbox::an_emptied_mailbox_is_empty;
    ListBackwards => mailbox::a_full_mailbox_forgets_its_oldest;

    LoseFields => audit::entries_are_kept_newest_first_for_their_user;
    CommitOnDrop => audit::an_entry_of_a_dropped_unit_is_not_kept;
    PurgeNothing => audit::only_old_entries_are_removed;
    PurgeNothing => audit::a_removed_user_takes_entries_along;
}

/// The same for ports whose adapters are made of a defect alone.
macro_rules! port_broken_by {
    ($tests:ident, $port:ident, $adapter:ident: $($defect:ident => $module:ident::$law:ident;)+) => {
        mod $tests {
            use super::*;
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $law() {
                    for (defect, breaks) in [(Defect::Nothing, false), (Defect::$defect, true)] {
                        let adapter: Arc<dyn $port> = Arc::new($adapter::new(defect));
                        let law = tokio::spawn(async move { $module::$law(&adapter).await });
                        assert_eq!(law.await.is_err(), breaks, "{defect:?}");
                    }
                }
            )+
        }
    };
}

port_broken_by! { limiters, RateLimiter, BrokenLimiter:
    AllowOneMore => limiter::the_limit_passes_and_not_one_more;
    FixedWindow => limiter::the_window_slides;
    CountRefused => limiter::a_refused_request_takes_nothing;
    AllowOneMore => limiter::of_200_parallel_requests_the_limit_passes;
    OneBucket => limiter::buckets_do_not_touch_each_other;
    FixedWindow => limiter::what_is_left_and_when_it_returns_is_told_truly;
    TrustTheFuture => limiter::a_clock_that_steps_back_shuts_nobody_out_for_longer_than_a_window;
}

port_broken_by! { hashers, PasswordHasher, BrokenHasher:
    FoldCase => hashing::the_right_password_matches_and_no_other;
    CutAt72 => hashing::every_byte_of_a_long_password_counts;
    StopAtNul => hashing::a_nul_does_not_end_a_password;
    NoSalt => hashing::two_hashes_of_one_password_differ;
    WelcomeStrangers => hashing::without_an_account_nothing_matches;
    FailOnDamage => hashing::a_damaged_hash_matches_nothing;
}

port_broken_by! { opaque, OpaqueTokens, BrokenTokens:
    LoseFields => opaque_tokens::a_sealed_token_opens_to_what_it_was;
    SealAnew => opaque_tokens::sealing_twice_gives_one_text;
    IgnoreSeals => opaque_tokens::no_altered_text_opens;
    OddCharacters => opaque_tokens::tokens_are_url_safe_and_long_enough;
    IgnorePurpose => opaque_tokens::one_letter_gives_one_token_per_purpose;
    FoldCase => opaque_tokens::digests_follow_their_input;
}

port_broken_by! { access, AccessTokens, BrokenTokens:
    LoseFields => signing::a_signed_token_says_what_was_signed;
    ExpireLate => signing::a_token_is_good_until_just_before_it_expires;
    TrustTheFuture => signing::a_token_from_the_future_is_refused;
    IgnoreSeals => signing::no_altered_token_is_accepted;
    AcceptAnything => signing::what_is_no_token_is_refused;
}

macro_rules! route_broken_by {
    ($($defect:ident => $module:ident::$law:ident;)+) => {
        mod mailers {
            use super::*;
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $law() {
                    for (defect, breaks) in [(Defect::Nothing, false), (Defect::$defect, true)] {
                        let route = broken_route(defect);
                        let law = tokio::spawn(async move { $module::$law(&route).await });
                        assert_eq!(law.await.is_err(), breaks, "{defect:?}");
                    }
                }
            )+
        }
    };
}

route_broken_by! {
    LoseFields => mailer::what_was_written_arrives_whole;
    EndAtADot => mailer::no_line_of_a_mail_ends_it;
    NewKeyEachTime => mailer::every_attempt_of_a_letter_carries_the_same_key;
    OneKey => mailer::two_letters_carry_two_keys;
    AddHeaders => mailer::a_subject_adds_no_header;
    MixMails => mailer::parallel_mails_do_not_mix;
    TryForEver => mailer_faults::a_refused_recipient_is_refused_for_good;
    GiveUpAtOnce => mailer_faults::a_far_side_that_is_busy_is_tried_again;
    GiveUpAtOnce => mailer_faults::a_far_side_that_is_away_is_tried_again;
    TellSecrets => mailer_faults::debug_and_errors_tell_no_secret;
}
