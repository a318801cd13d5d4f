//! The laws of a store of objects.

mod in_a_directory {
    use crate::buckets::local_bucket;
    portcullis_conformance::object_laws!(local_bucket);
}

mod in_s3 {
    use crate::buckets::s3_bucket;
    portcullis_conformance::object_laws!(s3_bucket);
}

/// Without `one_level_shows_its_folders`: fake-gcs-server repeats the folders on
/// every page. That they are told, a test of `gcs` looks at.
mod in_fake_gcs {
    use crate::google::fake_gcs_bucket;
    portcullis_conformance::laws!(fake_gcs_bucket; objects:
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
    portcullis_conformance::laws!(fake_gcs_bucket; object_lists:
        a_list_comes_page_by_page,
        a_prefix_selects,
        a_created_folder_is_there_and_is_no_object,
        a_folder_is_there_while_something_is_in_it,
        a_list_survives_changes,
    );
    portcullis_conformance::laws!(fake_gcs_bucket; object_uploads:
        an_upload_that_fails_leaves_what_was_there,
        an_upload_given_up_is_whole_or_not_there,
    );
}

/// Without the laws of pages, since gcp-storage-emulator has none, and without
/// `every_name_is_kept`: it finds no object with an ampersand in its name.
mod in_gcp_storage_emulator {
    use crate::google::emulator_bucket;
    portcullis_conformance::laws!(emulator_bucket; objects:
        what_was_written_is_read,
        a_stream_is_stored_whole,
        attributes_are_kept,
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
    portcullis_conformance::laws!(emulator_bucket; object_lists:
        a_prefix_selects,
        a_created_folder_is_there_and_is_no_object,
        a_folder_is_there_while_something_is_in_it,
    );
    portcullis_conformance::laws!(emulator_bucket; object_uploads:
        an_upload_that_fails_leaves_what_was_there,
        an_upload_given_up_is_whole_or_not_there,
    );
}
