//! Laws can fail: adapters with one deliberate defect each break them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod broken;

use std::collections::BTreeSet;
use std::future::Future;
use std::process::Command;
use std::sync::Arc;

use broken::{
    Broken, BrokenHasher, BrokenLimiter, BrokenTokens, Defect, broken_bucket, broken_outage,
    broken_route, broken_system,
};
use portcullis_conformance::{self as laws, Stores, catalogue};
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
    ($module:ident: $($defect:ident => $law:ident;)+) => {
        mod $module {
            use super::*;
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $law() {
                    let law = |stores: Arc<Stores>| async move { laws::$module::$law(&stores).await };
                    assert!(!fails(Defect::Nothing, law).await, "it fails without a defect");
                    assert!(fails(Defect::$defect, law).await, "it holds in spite of the defect");
                }
            )+
        }
    };
}

broken_by! { accounts:
    LoseFields => every_field_of_a_user_is_read_as_it_was_written;
    FindNobody => a_user_is_found_by_each_identifier_in_any_case;
    SwallowConflicts => an_address_belongs_to_one_user;
    SwallowConflicts => a_username_belongs_to_one_user_in_any_case;
    TakeEverybodyForOne => users_without_a_username_do_not_collide;
    CommitNothing => a_conflict_does_not_end_the_unit;
    CountDown => numbers_count_up;
    SwallowConflicts => of_64_parallel_registrations_one_wins;
    LoseFields => the_first_verification_counts;
    CommitNothing => a_new_name_replaces_the_old_one_and_its_parts;
    UpgradeAnything => a_hash_is_upgraded_only_from_the_one_that_was_checked;
    PurgeNothing => only_stale_unverified_accounts_are_removed;
    PurgeNothing => a_removed_user_takes_sessions_and_tokens_along;
    TellSecrets => debug_and_errors_tell_no_secret;
    CountDown => a_refused_account_uses_up_no_number;
    TellAtOnce => a_discreet_refusal_uses_up_a_number_like_an_account;
}

broken_by! { accounts_archive:
    LoseFields => every_field_of_an_imported_account_is_kept;
    ImportNothing => an_imported_account_is_found_by_each_identifier;
    ForgetIdentity => importing_again_finds_everything_there;
    Overwrite => an_account_that_is_there_is_left_as_it_is;
    BlameTheAddress => a_conflict_names_what_is_held;
    AllOrNothing => a_conflict_keeps_only_its_own_account_out;
    LookBeforehand => of_two_in_a_batch_that_share_a_value_the_first_is_added;
    ListBackwards => outcomes_come_in_the_order_of_their_accounts;
    CountAnew => a_kept_number_is_not_counted_again;
    CountDown => an_account_without_a_number_is_counted;
    CompareByImporting => comparing_tells_what_is_there_and_writes_nothing;
    ListBackwards => accounts_are_exported_page_by_page_in_the_order_of_their_numbers;
    LoseFields => what_is_exported_is_what_was_imported;
    LookBeforehand => of_parallel_imports_of_one_account_one_adds_it;
    CommitHalf => an_import_cancelled_at_any_moment_adds_all_of_a_batch_or_nothing;
    CutBatches => many_accounts_fit_into_one_batch;
}

broken_by! { units:
    BeUnavailable => a_store_that_is_there_answers;
    CommitOnDrop => a_dropped_unit_leaves_nothing_behind;
    CommitNothing => a_write_is_invisible_until_it_is_committed;
    HoldLocksForLong => a_dropped_unit_frees_its_locks_at_once;
    CommitOnDrop => a_unit_cancelled_at_any_moment_leaves_the_store_whole;
    AdvanceTwice => steps_cancelled_at_any_moment_leave_the_store_whole;
    IgnoreCaps => parallel_units_lose_no_update;
}

broken_by! { one_time_tokens:
    LoseFields => every_field_of_a_token_is_read_as_it_was_written;
    ConsumeAgainAndAgain => a_token_is_spent_once;
    IgnoreExpiry => a_token_works_until_just_before_it_expires;
    IgnorePurpose => a_token_works_for_its_purpose_only;
    ConsumeAgainAndAgain => of_64_parallel_presentations_one_spends_the_token;
    ConsumeAgainAndAgain => a_token_that_is_there_is_not_replaced;
    CommitNothing => spending_all_spends_that_users_tokens_of_that_purpose;
    PurgeNothing => only_expired_tokens_are_removed;
}

broken_by! { sessions:
    LoseFields => every_field_of_a_session_is_read_as_it_was_written;
    EndAnything => an_unknown_session_is_nobodys;
    AdvanceTwice => a_rotating_session_moves_on_one_by_one;
    AdvanceNever => a_fixed_session_stays_where_it_is;
    IgnoreExpiry => a_session_moves_until_just_before_it_expires;
    IgnoreSeed => a_foreign_seed_moves_nothing;
    AdvanceAgainAndAgain => of_64_parallel_rotations_one_wins;
    EndAnything => a_session_is_ended_once_and_by_its_user_only;
    ReviveSessions => an_ended_session_never_moves_again;
    ReviveSessions => after_an_acknowledged_end_nothing_moves;
    CommitNothing => ending_all_ends_that_users_live_sessions_only;
    PurgeNothing => only_expired_sessions_are_removed;
}

broken_by! { callers:
    LoseFields => a_live_session_names_its_user;
    CacheForEver => after_an_acknowledged_end_nobody_is_named;
    CacheForEver => after_a_committed_end_nobody_is_named;
    CommitOnDrop => an_end_that_was_dropped_ends_nothing;
    CacheForEver => a_changed_user_is_seen_at_once;
    CacheForEver => readers_under_way_revive_nothing;
}

broken_by! { logins:
    FindNobody => an_attempt_names_the_account_if_there_is_one;
    NeverLock => the_last_permitted_failure_locks_until_its_time_is_over;
    NeverLock => an_unknown_identifier_locks_just_the_same;
    NeverLock => of_64_parallel_attempts_the_permitted_ones_pass;
    MixSources => one_source_does_not_lock_another;
    NeverLock => many_sources_lock_the_identifier_for_all;
    NeverForgive => opening_a_session_forgives_and_notes_the_login;
    WelcomeStrangers => a_session_that_no_password_opened_forgives_nothing;
    NeverForgive => forgiving_starts_the_count_afresh;
    NeverForgive => a_withdrawn_attempt_does_not_count;
    IgnorePasswordChange => a_changed_password_opens_no_session;
    CommitNothing => clearing_an_identifier_forgives_every_source;
    PurgeNothing => only_stale_counters_are_removed;
    NeverForgive => a_withdrawal_takes_nothing_from_others;
    DisplaceNobody => a_login_too_many_ends_the_oldest_session;
    DisplaceNobody => of_parallel_logins_no_more_sessions_live_than_are_allowed;
}

broken_by! { outbox:
    LoseFields => every_field_of_a_letter_is_read_as_it_was_written;
    IgnoreLeases => a_claimed_letter_is_held_until_its_lease_ends;
    IgnoreLeases => of_parallel_workers_each_letter_is_held_by_one;
    ClaimTooMuch => letters_are_claimed_oldest_first_and_a_few_at_a_time;
    IgnoreTurns => recipients_take_turns;
    LoseFields => an_operator_sees_what_is_owed;
    NeverSettle => a_revived_letter_is_due_again;
    NeverSettle => a_settled_letter_is_done;
    NeverSettle => a_postponed_letter_is_due_at_its_time;
    NeverSettle => a_buried_letter_stays_buried;
    NeverSettle => a_released_letter_is_due_at_once_and_was_not_tried;
    IgnoreHolders => only_the_attempt_that_holds_a_letter_moves_it;
    IgnoreCaps => a_recipient_gets_so_many_of_a_kind_in_a_window;
    CommitOnDrop => a_letter_of_a_dropped_unit_is_not_owed;
    PurgeNothing => only_settled_letters_are_removed;
}

broken_by! { jobs:
    LoseFields => every_field_of_a_job_is_read_as_it_was_written;
    IgnoreKeys => a_key_is_queued_once;
    IgnoreKeys => of_64_who_queue_one_key_one_does;
    IgnoreLeases => a_claimed_job_is_held_until_its_lease_ends;
    IgnoreLeases => of_parallel_workers_each_job_is_held_by_one;
    ClaimTooMuch => jobs_are_claimed_oldest_first_and_a_few_at_a_time;
    IgnoreTurns => kinds_take_turns;
    NeverSettle => what_is_left_of_a_job_is_kept_and_its_lease_begins_anew;
    IgnoreHolders => only_the_attempt_that_holds_a_job_keeps_it;
    LoseFields => an_operator_sees_which_jobs_are_owed;
    NeverSettle => a_revived_job_is_due_again;
    NeverSettle => a_settled_job_is_done;
    NeverSettle => a_postponed_job_is_due_at_its_time;
    NeverSettle => a_buried_job_stays_buried;
    NeverSettle => a_released_job_is_due_at_once_and_was_not_tried;
    IgnoreHolders => only_the_attempt_that_holds_a_job_moves_it;
    PurgeNothing => only_settled_jobs_are_removed;
}

broken_by! { mailbox:
    ListBackwards => messages_are_listed_newest_first;
    IgnoreFilters => a_recipients_messages_are_found;
    KeepTwice => a_message_is_kept_once;
    NeverClear => an_emptied_mailbox_is_empty;
    ListBackwards => a_full_mailbox_forgets_its_oldest;
}

broken_by! { audit:
    LoseFields => entries_are_kept_newest_first_for_their_user;
    CommitOnDrop => an_entry_of_a_dropped_unit_is_not_kept;
    PurgeNothing => only_old_entries_are_removed;
    PurgeNothing => a_removed_user_takes_entries_along;
}

/// The same for ports whose adapters are made of a defect alone.
macro_rules! port_broken_by {
    ($module:ident, $port:ident, $adapter:ident: $($defect:ident => $law:ident;)+) => {
        mod $module {
            use super::*;
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $law() {
                    for (defect, breaks) in [(Defect::Nothing, false), (Defect::$defect, true)] {
                        let adapter: Arc<dyn $port> = Arc::new($adapter::new(defect));
                        let law = tokio::spawn(async move { laws::$module::$law(&adapter).await });
                        assert_eq!(law.await.is_err(), breaks, "{defect:?}");
                    }
                }
            )+
        }
    };
}

port_broken_by! { limiter, RateLimiter, BrokenLimiter:
    AllowOneMore => the_limit_passes_and_not_one_more;
    FixedWindow => the_window_slides;
    CountRefused => a_refused_request_takes_nothing;
    AllowOneMore => of_200_parallel_requests_the_limit_passes;
    OneBucket => buckets_do_not_touch_each_other;
    FixedWindow => what_is_left_and_when_it_returns_is_told_truly;
    TrustTheFuture => a_clock_that_steps_back_shuts_nobody_out_for_longer_than_a_window;
}

port_broken_by! { hashing, PasswordHasher, BrokenHasher:
    FoldCase => the_right_password_matches_and_no_other;
    CutAt72 => every_byte_of_a_long_password_counts;
    StopAtNul => a_nul_does_not_end_a_password;
    NoSalt => two_hashes_of_one_password_differ;
    WelcomeStrangers => without_an_account_nothing_matches;
    FailOnDamage => a_damaged_hash_matches_nothing;
    WorkForNobody => who_left_before_their_turn_is_not_hashed_for;
}

port_broken_by! { opaque_tokens, OpaqueTokens, BrokenTokens:
    LoseFields => a_sealed_token_opens_to_what_it_was;
    SealAnew => sealing_twice_gives_one_text;
    IgnoreSeals => no_altered_text_opens;
    OddCharacters => tokens_are_url_safe_and_long_enough;
    IgnorePurpose => one_letter_gives_one_token_per_purpose;
    FoldCase => digests_follow_their_input;
}

port_broken_by! { signing, AccessTokens, BrokenTokens:
    LoseFields => a_signed_token_says_what_was_signed;
    ExpireLate => a_token_is_good_until_just_before_it_expires;
    TrustTheFuture => a_token_from_the_future_is_refused;
    IgnoreSeals => no_altered_token_is_accepted;
    AcceptAnything => what_is_no_token_is_refused;
}

/// The same for ports whose adapters come with more than themselves.
macro_rules! fixture_broken_by {
    ($module:ident, $fixture:ident: $($defect:ident => $law:ident;)+) => {
        mod $module {
            use super::*;
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $law() {
                    for (defect, breaks) in [(Defect::Nothing, false), (Defect::$defect, true)] {
                        let fixture = $fixture(defect);
                        let law = tokio::spawn(async move { laws::$module::$law(&fixture).await });
                        assert_eq!(law.await.is_err(), breaks, "{defect:?}");
                    }
                }
            )+
        }
    };
}

fixture_broken_by! { mailer, broken_route:
    LoseFields => what_was_written_arrives_whole;
    EndAtADot => no_line_of_a_mail_ends_it;
    NewKeyEachTime => every_attempt_of_a_letter_carries_the_same_key;
    OneKey => two_letters_carry_two_keys;
    AddHeaders => a_subject_adds_no_header;
    MixMails => parallel_mails_do_not_mix;
}

fixture_broken_by! { mailer_faults, broken_route:
    TryForEver => a_refused_recipient_is_refused_for_good;
    GiveUpAtOnce => a_far_side_that_is_busy_is_tried_again;
    GiveUpAtOnce => a_far_side_that_is_away_is_tried_again;
    TellSecrets => debug_and_errors_tell_no_secret;
}

broken_by! { identity_links:
    FindNobody => a_link_names_its_user_and_nobody_else;
    Overwrite => a_link_is_for_good;
    SwallowConflicts => of_parallel_links_of_one_subject_one_wins;
    CommitOnDrop => a_link_of_a_dropped_unit_is_none;
    PurgeNothing => a_removed_user_takes_links_along;
}

broken_by! { devices:
    LoseFields => every_field_of_a_device_is_read_as_it_was_written;
    KeepTwice => a_device_is_registered_once;
    KeepTwice => a_device_is_whose_registered_it_last;
    KeepTheOldest => the_newest_devices_stay;
    EndAnything => a_device_is_forgotten_by_its_owner_only;
    NeverClear => devices_that_are_gone_are_forgotten_together;
    NeverClear => all_devices_of_a_user_are_forgotten_with_the_unit;
    AllowOneMore => of_parallel_registrations_no_more_stay_than_may;
    PurgeNothing => a_removed_user_takes_devices_along;
}

broken_by! { avatars:
    LoseFields => every_field_of_a_picture_is_read_as_it_was_written;
    TellNothing => a_replaced_picture_is_told;
    NeverClear => a_removed_picture_is_gone;
    LookBeforehand => of_parallel_pictures_each_but_one_is_replaced_once;
}

broken_by! { entitlements:
    LoseFields => every_field_of_a_purchase_is_read_as_it_was_written;
    Overwrite => a_purchase_is_the_first_claimants;
    KeepTheOldest => what_was_said_last_of_a_renewal_stands;
    Overwrite => a_renewal_outlives_what_is_said_of_the_one_before;
    TellNothing => of_parallel_news_the_last_stands;
    WelcomeStrangers => what_nobody_claimed_is_nobodys;
    SwallowConflicts => of_parallel_claims_of_one_purchase_one_user_gets_it;
    PurgeNothing => a_removed_user_takes_purchases_along;
}

fixture_broken_by! { objects, broken_bucket:
    LoseFields => what_was_written_is_read;
    LoseFields => a_stream_is_stored_whole;
    LoseFields => attributes_are_kept;
    FoldCase => every_name_is_kept;
    Overwrite => the_last_upload_replaces_everything;
    BeUnavailable => what_is_not_there_is_not_found;
    LinkCopies => a_copy_lives_on_its_own;
    CopyByUploading => a_copy_onto_itself_changes_nothing;
    NeverForgive => what_is_gone_can_be_deleted_again;
    CutBatches => of_many_names_each_is_deleted;
    AllowOneMore => what_is_too_long_is_not_read;
    NewKeyEachTime => checksums_that_are_told_are_true;
    OneKey => an_etag_changes_with_the_content;
    IgnoreExpiry => a_signed_url_is_good_for_a_second_to_seven_days;
    CommitHalf => readers_see_one_version;
}

fixture_broken_by! { object_lists, broken_bucket:
    CutBatches => a_list_comes_page_by_page;
    IgnoreFilters => a_prefix_selects;
    FindNobody => one_level_shows_its_folders;
    KeepTwice => a_created_folder_is_there_and_is_no_object;
    ImportNothing => a_folder_is_there_while_something_is_in_it;
    CountAnew => a_list_survives_changes;
}

fixture_broken_by! { object_uploads, broken_bucket:
    SwallowConflicts => an_upload_that_fails_leaves_what_was_there;
    CommitOnDrop => an_upload_given_up_is_whole_or_not_there;
}

fixture_broken_by! { outages, broken_outage:
    SayNothingIsThere => a_store_that_is_away_says_so;
    SayNothingIsThere => no_unit_gets_anywhere_while_the_store_is_away;
    SayNothingIsThere => no_session_is_judged_while_the_store_is_away;
    SayNothingIsThere => no_caller_is_turned_away_while_the_store_is_away;
    SayNothingIsThere => no_login_is_decided_while_the_store_is_away;
    SayNothingIsThere => no_letter_is_moved_while_the_store_is_away;
    SayNothingIsThere => no_job_is_moved_while_the_store_is_away;
    SayNothingIsThere => no_account_is_moved_while_the_store_is_away;
    SayNothingIsThere => no_message_is_kept_while_the_store_is_away;
    SayNothingIsThere => nothing_of_an_account_is_told_while_the_store_is_away;
    AnswerOneByOne => of_64_who_ask_at_once_each_is_told_in_time;
    CommitOnDrop => a_unit_that_was_cut_off_leaves_nothing_behind;
    CommitHalf => a_commit_that_was_cut_off_is_all_or_nothing;
    ForgetInAnOutage => what_was_acknowledged_outlives_the_outage;
    LoseConnections => callers_who_hang_up_cost_no_connection;
    StayAway => a_store_that_is_back_serves_everybody;
    TellSecrets => an_outage_tells_no_secret;
}

fixture_broken_by! { system, broken_system:
    CountMilliseconds => the_clock_tells_a_plausible_time;
    CountSeconds => the_clock_counts_in_microseconds;
    CountAnew => of_parallel_askers_each_gets_ids_of_its_own;
    CountDown => a_users_id_sorts_behind_earlier_ones;
    BeForeseeable => what_is_not_to_be_guessed_varies_in_every_bit;
    CountAnew => of_parallel_askers_each_gets_a_seed_of_its_own;
    BeForeseeable => a_seed_varies_in_every_bit;
}

#[test]
fn every_law_of_the_kit_is_shown_able_to_fail() {
    let listed = Command::new(std::env::current_exe().unwrap()).arg("--list").output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    let shown: BTreeSet<String> =
        listed.lines().filter_map(|line| line.strip_suffix(": test")).map(str::to_owned).collect();
    let laws: BTreeSet<String> =
        catalogue::laws().iter().map(|law| format!("{}::{}", law.module, law.name)).collect();
    let unshown: Vec<_> = laws.difference(&shown).collect();
    assert!(unshown.is_empty(), "no adapter breaks {unshown:?}");
}
