//! The tables. Each is described where it is made: in the migrations.

diesel::table! {
    use diesel::sql_types::{BigInt, Bool, Nullable, Text};
    use crate::types::{Instant, Uid};

    users (number) {
        number -> BigInt,
        id -> Uid,
        email -> Text,
        email_verified_at -> Nullable<Instant>,
        username -> Nullable<Text>,
        username_canonical -> Nullable<Text>,
        name -> Text,
        first_name -> Nullable<Text>,
        last_name -> Nullable<Text>,
        password_hash -> Text,
        password_changed_at -> Instant,
        is_active -> Bool,
        created_at -> Instant,
        updated_at -> Nullable<Instant>,
        last_login_at -> Nullable<Instant>,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Binary, Bool, Nullable, Text};
    use crate::types::{Instant, Uid};

    sessions (id) {
        id -> Uid,
        user_id -> Uid,
        contract -> Text,
        rotates -> Bool,
        seed_digest -> Binary,
        counter -> BigInt,
        opened_at -> Instant,
        rotated_at -> Instant,
        last_used_at -> Instant,
        expires_at -> Instant,
        ended_at -> Nullable<Instant>,
        end_reason -> Nullable<Text>,
        source -> Text,
        user_agent -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::{Binary, Nullable, Text};
    use crate::types::{Instant, Uid};

    one_time_tokens (digest, purpose) {
        digest -> Binary,
        purpose -> Text,
        user_id -> Uid,
        created_at -> Instant,
        expires_at -> Instant,
        used_at -> Nullable<Instant>,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Binary, Nullable, Text};
    use crate::types::Instant;

    login_failures (identifier, network) {
        identifier -> Binary,
        network -> Text,
        count -> BigInt,
        last_at -> Instant,
        locked_until -> Nullable<Instant>,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Nullable, Text};
    use crate::types::{Instant, Uid};

    outbox (id) {
        id -> Uid,
        kind -> Text,
        recipient -> Text,
        source -> Nullable<Text>,
        created_at -> Instant,
        attempts -> BigInt,
        due_at -> Instant,
        settled_at -> Nullable<Instant>,
        buried_at -> Nullable<Instant>,
        reason -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Nullable, Text};
    use crate::types::{Instant, Uid};

    jobs (id) {
        id -> Uid,
        kind -> Text,
        payload -> Text,
        key -> Nullable<Text>,
        created_at -> Instant,
        attempts -> BigInt,
        due_at -> Instant,
        settled_at -> Nullable<Instant>,
        buried_at -> Nullable<Instant>,
        reason -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Nullable, Text};
    use crate::types::{Instant, Uid};

    audit_events (number) {
        number -> BigInt,
        kind -> Text,
        at -> Instant,
        user_id -> Nullable<Uid>,
        session_id -> Nullable<Uid>,
        source -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Text};
    use crate::types::{Instant, Uid};

    mailbox (number) {
        number -> BigInt,
        id -> Uid,
        sender -> Text,
        recipient -> Text,
        subject -> Text,
        text_part -> Text,
        html_part -> Text,
        sent_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::Text;
    use crate::types::{Instant, Uid};

    identity_links (source, subject) {
        source -> Text,
        subject -> Text,
        user_id -> Uid,
        linked_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::{Binary, Text};
    use crate::types::{Instant, Uid};

    devices (digest) {
        digest -> Binary,
        token -> Text,
        user_id -> Uid,
        registered_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Text};
    use crate::types::{Instant, Uid};

    avatars (user_id) {
        user_id -> Uid,
        object -> Text,
        content_type -> Text,
        size -> BigInt,
        set_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::{Nullable, Text};
    use crate::types::{Instant, Uid};

    entitlements (environment, purchase) {
        environment -> Text,
        purchase -> Text,
        user_id -> Uid,
        product -> Text,
        purchased_at -> Instant,
        expires_at -> Nullable<Instant>,
        revoked_at -> Nullable<Instant>,
        signed_at -> Instant,
    }
}

diesel::allow_tables_to_appear_in_same_query!(users, sessions);
