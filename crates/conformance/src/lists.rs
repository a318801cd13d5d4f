//! The lists of laws, as macros that expand to one named test per law.

/// One test per law of a module: `laws!(fixture; module: law, law, …)`.
#[doc(hidden)]
#[macro_export]
macro_rules! laws {
    ($fixture:ident; $module:ident: $($law:ident),+ $(,)?) => {
        mod $module {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
                async fn $law() {
                    let fixture = super::$fixture().await;
                    $crate::$module::$law(&fixture).await;
                }
            )+
        }
    };
}

/// The laws of a durable store. `$fixture` is an async function that gives a
/// [`Stores`](crate::Stores) of an empty store.
#[macro_export]
macro_rules! store_laws {
    ($fixture:ident) => {
        $crate::laws!($fixture; accounts:
            every_field_of_a_user_is_read_as_it_was_written,
            a_user_is_found_by_each_identifier_in_any_case,
            an_address_belongs_to_one_user,
            a_username_belongs_to_one_user_in_any_case,
            users_without_a_username_do_not_collide,
            a_conflict_does_not_end_the_unit,
            numbers_count_up,
            a_refused_account_uses_up_no_number,
            a_discreet_refusal_uses_up_a_number_like_an_account,
            of_64_parallel_registrations_one_wins,
            the_first_verification_counts,
            a_new_name_replaces_the_old_one_and_its_parts,
            a_hash_is_upgraded_only_from_the_one_that_was_checked,
            only_stale_unverified_accounts_are_removed,
            a_removed_user_takes_sessions_and_tokens_along,
            debug_and_errors_tell_no_secret,
        );
        $crate::laws!($fixture; accounts_archive:
            every_field_of_an_imported_account_is_kept,
            an_imported_account_is_found_by_each_identifier,
            importing_again_finds_everything_there,
            an_account_that_is_there_is_left_as_it_is,
            a_conflict_names_what_is_held,
            a_conflict_keeps_only_its_own_account_out,
            of_two_in_a_batch_that_share_a_value_the_first_is_added,
            outcomes_come_in_the_order_of_their_accounts,
            a_kept_number_is_not_counted_again,
            an_account_without_a_number_is_counted,
            comparing_tells_what_is_there_and_writes_nothing,
            accounts_are_exported_page_by_page_in_the_order_of_their_numbers,
            what_is_exported_is_what_was_imported,
            of_parallel_imports_of_one_account_one_adds_it,
            an_import_cancelled_at_any_moment_adds_all_of_a_batch_or_nothing,
            many_accounts_fit_into_one_batch,
        );
        $crate::laws!($fixture; units:
            a_store_that_is_there_answers,
            a_dropped_unit_leaves_nothing_behind,
            a_write_is_invisible_until_it_is_committed,
            a_dropped_unit_frees_its_locks_at_once,
            a_unit_cancelled_at_any_moment_leaves_the_store_whole,
            steps_cancelled_at_any_moment_leave_the_store_whole,
            parallel_units_lose_no_update,
        );
        $crate::laws!($fixture; one_time_tokens:
            every_field_of_a_token_is_read_as_it_was_written,
            a_token_is_spent_once,
            a_token_works_until_just_before_it_expires,
            a_token_works_for_its_purpose_only,
            of_64_parallel_presentations_one_spends_the_token,
            a_token_that_is_there_is_not_replaced,
            spending_all_spends_that_users_tokens_of_that_purpose,
            only_expired_tokens_are_removed,
        );
        $crate::laws!($fixture; sessions:
            every_field_of_a_session_is_read_as_it_was_written,
            an_unknown_session_is_nobodys,
            a_rotating_session_moves_on_one_by_one,
            a_fixed_session_stays_where_it_is,
            a_session_moves_until_just_before_it_expires,
            a_foreign_seed_moves_nothing,
            of_64_parallel_rotations_one_wins,
            a_session_is_ended_once_and_by_its_user_only,
            an_ended_session_never_moves_again,
            after_an_acknowledged_end_nothing_moves,
            ending_all_ends_that_users_live_sessions_only,
            only_expired_sessions_are_removed,
        );
        $crate::laws!($fixture; callers:
            a_live_session_names_its_user,
            after_an_acknowledged_end_nobody_is_named,
            after_a_committed_end_nobody_is_named,
            an_end_that_was_dropped_ends_nothing,
            a_changed_user_is_seen_at_once,
            readers_under_way_revive_nothing,
        );
        $crate::laws!($fixture; logins:
            an_attempt_names_the_account_if_there_is_one,
            the_last_permitted_failure_locks_until_its_time_is_over,
            an_unknown_identifier_locks_just_the_same,
            of_64_parallel_attempts_the_permitted_ones_pass,
            one_source_does_not_lock_another,
            many_sources_lock_the_identifier_for_all,
            opening_a_session_forgives_and_notes_the_login,
            a_session_that_no_password_opened_forgives_nothing,
            a_login_too_many_ends_the_oldest_session,
            of_parallel_logins_no_more_sessions_live_than_are_allowed,
            forgiving_starts_the_count_afresh,
            a_withdrawn_attempt_does_not_count,
            a_withdrawal_takes_nothing_from_others,
            a_changed_password_opens_no_session,
            clearing_an_identifier_forgives_every_source,
            only_stale_counters_are_removed,
        );
        $crate::laws!($fixture; outbox:
            every_field_of_a_letter_is_read_as_it_was_written,
            a_claimed_letter_is_held_until_its_lease_ends,
            of_parallel_workers_each_letter_is_held_by_one,
            letters_are_claimed_oldest_first_and_a_few_at_a_time,
            recipients_take_turns,
            an_operator_sees_what_is_owed,
            a_revived_letter_is_due_again,
            a_settled_letter_is_done,
            a_postponed_letter_is_due_at_its_time,
            a_buried_letter_stays_buried,
            a_released_letter_is_due_at_once_and_was_not_tried,
            only_the_attempt_that_holds_a_letter_moves_it,
            a_recipient_gets_so_many_of_a_kind_in_a_window,
            a_letter_of_a_dropped_unit_is_not_owed,
            only_settled_letters_are_removed,
        );
        $crate::laws!($fixture; identity_links:
            a_link_names_its_user_and_nobody_else,
            a_link_is_for_good,
            of_parallel_links_of_one_subject_one_wins,
            a_link_of_a_dropped_unit_is_none,
            a_removed_user_takes_links_along,
        );
        $crate::laws!($fixture; devices:
            every_field_of_a_device_is_read_as_it_was_written,
            a_device_is_registered_once,
            a_device_is_whose_registered_it_last,
            the_newest_devices_stay,
            a_device_is_forgotten_by_its_owner_only,
            devices_that_are_gone_are_forgotten_together,
            all_devices_of_a_user_are_forgotten_with_the_unit,
            of_parallel_registrations_no_more_stay_than_may,
            a_removed_user_takes_devices_along,
        );
        $crate::laws!($fixture; avatars:
            every_field_of_a_picture_is_read_as_it_was_written,
            a_replaced_picture_is_told,
            a_removed_picture_is_gone,
            of_parallel_pictures_each_but_one_is_replaced_once,
        );
        $crate::laws!($fixture; entitlements:
            every_field_of_a_purchase_is_read_as_it_was_written,
            a_purchase_is_the_first_claimants,
            what_was_said_last_of_a_renewal_stands,
            a_renewal_outlives_what_is_said_of_the_one_before,
            of_parallel_news_the_last_stands,
            what_nobody_claimed_is_nobodys,
            of_parallel_claims_of_one_purchase_one_user_gets_it,
            a_removed_user_takes_purchases_along,
        );
        $crate::laws!($fixture; jobs:
            every_field_of_a_job_is_read_as_it_was_written,
            a_key_is_queued_once,
            of_64_who_queue_one_key_one_does,
            a_claimed_job_is_held_until_its_lease_ends,
            of_parallel_workers_each_job_is_held_by_one,
            jobs_are_claimed_oldest_first_and_a_few_at_a_time,
            kinds_take_turns,
            what_is_left_of_a_job_is_kept_and_its_lease_begins_anew,
            only_the_attempt_that_holds_a_job_keeps_it,
            an_operator_sees_which_jobs_are_owed,
            a_revived_job_is_due_again,
            a_settled_job_is_done,
            a_postponed_job_is_due_at_its_time,
            a_buried_job_stays_buried,
            a_released_job_is_due_at_once_and_was_not_tried,
            only_the_attempt_that_holds_a_job_moves_it,
            only_settled_jobs_are_removed,
        );
        $crate::laws!($fixture; mailbox:
            messages_are_listed_newest_first,
            a_recipients_messages_are_found,
            a_message_is_kept_once,
            an_emptied_mailbox_is_empty,
            a_full_mailbox_forgets_its_oldest,
        );
        $crate::laws!($fixture; audit:
            entries_are_kept_newest_first_for_their_user,
            an_entry_of_a_dropped_unit_is_not_kept,
            only_old_entries_are_removed,
            a_removed_user_takes_entries_along,
        );
    };
}

/// The laws of a rate limiter. `$fixture` is an async function that gives an
/// `Arc<dyn RateLimiter>` that has seen nobody.
#[macro_export]
macro_rules! limiter_laws {
    ($fixture:ident) => {
        $crate::laws!($fixture; limiter:
            the_limit_passes_and_not_one_more,
            the_window_slides,
            a_refused_request_takes_nothing,
            of_200_parallel_requests_the_limit_passes,
            buckets_do_not_touch_each_other,
            what_is_left_and_when_it_returns_is_told_truly,
            a_clock_that_steps_back_shuts_nobody_out_for_longer_than_a_window,
        );
    };
}

/// The laws of a password hasher. `$fixture` is an async function that gives
/// an `Arc<dyn PasswordHasher>` whose hashes are not outdated.
#[macro_export]
macro_rules! hasher_laws {
    ($fixture:ident) => {
        $crate::laws!($fixture; hashing:
            the_right_password_matches_and_no_other,
            every_byte_of_a_long_password_counts,
            a_nul_does_not_end_a_password,
            two_hashes_of_one_password_differ,
            without_an_account_nothing_matches,
            a_damaged_hash_matches_nothing,
            who_left_before_their_turn_is_not_hashed_for,
        );
    };
}

/// The laws of opaque tokens. `$fixture` is an async function that gives an
/// `Arc<dyn OpaqueTokens>`.
#[macro_export]
macro_rules! opaque_token_laws {
    ($fixture:ident) => {
        $crate::laws!($fixture; opaque_tokens:
            a_sealed_token_opens_to_what_it_was,
            sealing_twice_gives_one_text,
            no_altered_text_opens,
            tokens_are_url_safe_and_long_enough,
            one_letter_gives_one_token_per_purpose,
            digests_follow_their_input,
        );
    };
}

/// The laws of access tokens. `$fixture` is an async function that gives an
/// `Arc<dyn AccessTokens>`.
#[macro_export]
macro_rules! signing_laws {
    ($fixture:ident) => {
        $crate::laws!($fixture; signing:
            a_signed_token_says_what_was_signed,
            a_token_is_good_until_just_before_it_expires,
            a_token_from_the_future_is_refused,
            no_altered_token_is_accepted,
            what_is_no_token_is_refused,
        );
    };
}

/// The laws of a mailer whose far side is well. `$fixture` is an async function
/// that gives a [`MailRoute`](crate::MailRoute) where nothing arrived yet.
#[macro_export]
macro_rules! delivery_laws {
    ($fixture:ident) => {
        $crate::laws!($fixture; mailer:
            what_was_written_arrives_whole,
            no_line_of_a_mail_ends_it,
            every_attempt_of_a_letter_carries_the_same_key,
            two_letters_carry_two_keys,
            a_subject_adds_no_header,
            parallel_mails_do_not_mix,
        );
    };
}

/// All laws of a mailer. `$fixture` is an async function that gives a
/// [`MailRoute`](crate::MailRoute) where nothing arrived yet.
#[macro_export]
macro_rules! mailer_laws {
    ($fixture:ident) => {
        $crate::delivery_laws!($fixture);
        $crate::laws!($fixture; mailer_faults:
            a_refused_recipient_is_refused_for_good,
            a_far_side_that_is_busy_is_tried_again,
            a_far_side_that_is_away_is_tried_again,
            debug_and_errors_tell_no_secret,
        );
    };
}

/// The laws of a store that goes away and comes back. `$fixture` is an async
/// function that gives an [`Outage`](crate::Outage) of an empty store.
#[macro_export]
macro_rules! outage_laws {
    ($fixture:ident) => {
        $crate::laws!($fixture; outages:
            a_store_that_is_away_says_so,
            no_unit_gets_anywhere_while_the_store_is_away,
            no_session_is_judged_while_the_store_is_away,
            no_caller_is_turned_away_while_the_store_is_away,
            no_login_is_decided_while_the_store_is_away,
            no_letter_is_moved_while_the_store_is_away,
            no_job_is_moved_while_the_store_is_away,
            no_account_is_moved_while_the_store_is_away,
            no_message_is_kept_while_the_store_is_away,
            nothing_of_an_account_is_told_while_the_store_is_away,
            of_64_who_ask_at_once_each_is_told_in_time,
            a_unit_that_was_cut_off_leaves_nothing_behind,
            a_commit_that_was_cut_off_is_all_or_nothing,
            what_was_acknowledged_outlives_the_outage,
            callers_who_hang_up_cost_no_connection,
            a_store_that_is_back_serves_everybody,
            an_outage_tells_no_secret,
        );
    };
}

/// The laws of time, ids and randomness. `$fixture` is an async function that
/// gives a [`System`](crate::System).
#[macro_export]
macro_rules! system_laws {
    ($fixture:ident) => {
        $crate::laws!($fixture; system:
            the_clock_tells_a_plausible_time,
            the_clock_counts_in_microseconds,
            of_parallel_askers_each_gets_ids_of_its_own,
            a_users_id_sorts_behind_earlier_ones,
            what_is_not_to_be_guessed_varies_in_every_bit,
            of_parallel_askers_each_gets_a_seed_of_its_own,
            a_seed_varies_in_every_bit,
        );
    };
}

/// The laws of a store of objects. `$fixture` is an async function that gives a
/// [`Bucket`](crate::Bucket) with nothing in it.
#[macro_export]
macro_rules! object_laws {
    ($fixture:ident) => {
        $crate::laws!($fixture; objects:
            what_was_written_is_read,
            a_stream_is_stored_whole,
            attributes_are_kept,
            every_name_is_kept,
            the_last_upload_replaces_everything,
            what_is_not_there_is_not_found,
            a_copy_lives_on_its_own,
            a_copy_onto_itself_changes_nothing,
            what_is_gone_can_be_deleted_again,
            of_many_names_each_is_deleted,
            what_is_too_long_is_not_read,
            checksums_that_are_told_are_true,
            an_etag_changes_with_the_content,
            a_signed_url_is_good_for_a_second_to_seven_days,
            readers_see_one_version,
        );
        $crate::laws!($fixture; object_lists:
            a_list_comes_page_by_page,
            a_prefix_selects,
            one_level_shows_its_folders,
            a_created_folder_is_there_and_is_no_object,
            a_folder_is_there_while_something_is_in_it,
            a_list_survives_changes,
        );
        $crate::laws!($fixture; object_uploads:
            an_upload_that_fails_leaves_what_was_there,
            an_upload_given_up_is_whole_or_not_there,
        );
    };
}
