//! What it became of: how, by whom, of what kind.

use crate::label::{Label, labels};

labels! {
    /// Which of the two contracts a request speaks.
    Contract {
        /// JSON and e-mail.
        Json = "json",
        /// Forms and usernames.
        Form = "form",
    }

    /// How somebody logs in.
    LoginWay {
        /// By contract A.
        Json = "json",
        /// By contract B.
        Form = "form",
        /// By a Firebase ID token.
        Firebase = "firebase",
    }

    /// What a job is about.
    JobKind {
        /// A notice of a new sign-in.
        SignInNotice = "sign_in_notice",
        /// Demo users.
        SeedUsers = "seed_users",
        /// A kind of another version.
        Unknown = "unknown",
    }

    /// Which limiter was asked.
    Limiter {
        /// The one that counts: shared between instances, where there is Redis.
        First = "first",
        /// This process's own, while the first one fails.
        Fallback = "fallback",
    }

    /// How strictly a request is limited.
    Tier {
        /// What tries secrets or sends mail, per client.
        Strict = "strict",
        /// Everything else, per client.
        General = "general",
        /// Public documents, per client.
        Public = "public",
        /// Authenticated requests, per user.
        User = "user",
    }

    /// A request's method.
    Method {
        /// GET.
        Get = "GET",
        /// HEAD.
        Head = "HEAD",
        /// POST.
        Post = "POST",
        /// PUT.
        Put = "PUT",
        /// PATCH.
        Patch = "PATCH",
        /// DELETE.
        Delete = "DELETE",
        /// OPTIONS.
        Options = "OPTIONS",
        /// Any other word that a client may think of.
        Other = "other",
    }

    /// The class of an answer's status.
    StatusClass {
        /// 100 to 199.
        Informational = "1xx",
        /// 200 to 299.
        Success = "2xx",
        /// 300 to 399.
        Redirection = "3xx",
        /// 400 to 499.
        ClientError = "4xx",
        /// 500 and above.
        ServerError = "5xx",
    }

    /// What is done with a password.
    HashOperation {
        /// A new one is hashed.
        Hash = "hash",
        /// One is compared with a stored hash.
        Verify = "verify",
    }

    /// A pool of connections.
    Pool {
        /// Of the database.
        Database = "database",
        /// Of the embedded database: the only writer.
        DatabaseWrites = "database_writes",
        /// Of the embedded database: the readers.
        DatabaseReads = "database_reads",
        /// Of Redis.
        Redis = "redis",
    }

    /// What the server depends on.
    Dependency {
        /// The database: nothing works without it.
        Database = "database",
        /// Redis.
        Redis = "redis",
        /// The mail provider.
        Mail = "mail",
    }
}

impl Method {
    /// The method of that name; what is not known is [`Method::Other`].
    #[must_use]
    pub fn named(name: &str) -> Self {
        let known = Self::ALL.iter().find(|method| method.value() == name);
        known.copied().unwrap_or(Self::Other)
    }
}

impl StatusClass {
    /// The class of a status.
    #[must_use]
    pub fn of(status: u16) -> Self {
        match status {
            0..=199 => Self::Informational,
            200..=299 => Self::Success,
            300..=399 => Self::Redirection,
            400..=499 => Self::ClientError,
            _ => Self::ServerError,
        }
    }
}

impl Dependency {
    /// The dependency of that name, as `/health` tells it.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|known| known.value() == name).copied()
    }
}

impl Pool {
    /// The pool of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|known| known.value() == name).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::label::Labels;
    use crate::outcomes::Decision;

    #[test]
    fn every_combination_has_a_place_of_its_own() {
        let all = <(Limiter, Tier, Decision)>::all();
        assert_eq!(all.len(), 24);
        for (place, labels) in all.into_iter().enumerate() {
            assert_eq!(labels.place(), place);
        }
    }

    #[test]
    fn a_method_that_nobody_knows_is_another_one() {
        assert_eq!(Method::named("PATCH"), Method::Patch);
        for odd in ["patch", "BREW", "", "other-thing"] {
            assert_eq!(Method::named(odd), Method::Other, "{odd}");
        }
    }
}
