//! What makes a password good enough to be chosen.

use std::collections::HashSet;
use std::sync::LazyLock;

use crate::{Email, Password, Username};

/// The commonest passwords of public breaches, one a line, in lower case, ASCII
/// entries only: a compilation by Royce Williams that Django ships, and zxcvbn's
/// list as far as it is long enough for us.
static COMMON: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| include_str!("../data/common-passwords.txt").lines().collect());

/// Fewest code points (contract §3; NIST SP 800-63B-4 §3.1.1.2).
pub const MIN_CODE_POINTS: usize = 8;

/// The service's name: what an attacker tries first here and nowhere else.
const SERVICE: &str = "portcullis";

/// How many digits and signs somebody adds at an end to please a rule.
const MOST_ADDED: usize = 2;

const SPECIAL: &str = "!@#$%^&*()_+-=[]{}|;:,.<>?";

/// Which passwords may be chosen (`PASSWORD_POLICY`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PasswordPolicy {
    /// Long enough, not common, and not the account's own data.
    #[default]
    Basic,
    /// The same, and an upper-case letter, a lower-case letter, a digit and a
    /// special character.
    Composition,
}

/// Why a password may not be chosen. The texts are contract §3's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WeakPassword {
    /// Fewer than [`MIN_CODE_POINTS`].
    #[error("Password must be at least 8 characters")]
    TooShort,
    /// Under [`PasswordPolicy::Composition`]: no upper-case letter.
    #[error("Password must contain uppercase letter")]
    NoUppercase,
    /// Under [`PasswordPolicy::Composition`]: no lower-case letter.
    #[error("Password must contain lowercase letter")]
    NoLowercase,
    /// Under [`PasswordPolicy::Composition`]: no digit.
    #[error("Password must contain digit")]
    NoDigit,
    /// Under [`PasswordPolicy::Composition`]: no special character.
    #[error("Password must contain special character")]
    NoSpecial,
    /// Among the first that anybody would guess.
    #[error("Password is too common")]
    Common,
    /// The account's own e-mail, local part, name or username.
    #[error("Password must not be your email, name or username")]
    Personal,
}

/// What an attacker who knows the account would try first.
#[derive(Clone, Copy, Debug)]
pub struct PersonalData<'a> {
    /// The account's e-mail address.
    pub email: &'a Email,
    /// The account's whole name.
    pub name: &'a str,
    /// The account's username, if it has one.
    pub username: Option<&'a Username>,
}

impl PasswordPolicy {
    /// Checks what can be checked without knowing whose password it is.
    ///
    /// # Errors
    /// The first rule of contract §3 that the password breaks.
    pub fn check(self, password: &Password) -> Result<(), WeakPassword> {
        let text = password.expose();
        if text.chars().count() < MIN_CODE_POINTS {
            return Err(WeakPassword::TooShort);
        }
        if self == Self::Composition {
            check_composition(text)?;
        }
        if is_common(text) {
            return Err(WeakPassword::Common);
        }
        Ok(())
    }

    /// Checks everything: [`PasswordPolicy::check`], then that the password is
    /// none of the account's own data.
    ///
    /// # Errors
    /// The first rule of contract §3 that the password breaks.
    pub fn check_for(self, password: &Password, own: PersonalData<'_>) -> Result<(), WeakPassword> {
        self.check(password)?;
        let text = password.expose().to_lowercase();
        let words = [
            Some(own.email.as_str()),
            Some(own.email.local_part()),
            Some(own.name),
            own.username.map(Username::as_str),
        ];
        let is_own = words.into_iter().flatten().any(|word| word.to_lowercase() == text);
        if is_own { Err(WeakPassword::Personal) } else { Ok(()) }
    }
}

fn check_composition(text: &str) -> Result<(), WeakPassword> {
    let has = |wanted: fn(char) -> bool| text.chars().any(wanted);
    if !has(char::is_uppercase) {
        Err(WeakPassword::NoUppercase)
    } else if !has(char::is_lowercase) {
        Err(WeakPassword::NoLowercase)
    } else if !has(char::is_numeric) {
        Err(WeakPassword::NoDigit)
    } else if !has(|c| SPECIAL.contains(c)) {
        Err(WeakPassword::NoSpecial)
    } else {
        Ok(())
    }
}

/// Whether the text is on the list, or what it is a usual disguise of
/// (`P@ssw0rd`), or what is left of it without a digit and a sign or two at its
/// ends (`Password1!`).
fn is_common(text: &str) -> bool {
    let lower = text.to_lowercase();
    cores(&lower).any(|core| {
        is_listed(core) || is_listed(&core.chars().map(undisguised).collect::<String>())
    })
}

fn is_listed(text: &str) -> bool {
    text == SERVICE || COMMON.contains(text)
}

/// The text itself, and without up to [`MOST_ADDED`] characters at either end
/// that are no letters.
fn cores(text: &str) -> impl Iterator<Item = &str> {
    let ends = move |added: usize| {
        let core = text.len().checked_sub(added).and_then(|end| text.split_at_checked(end));
        core.filter(|(_, rest)| !rest.contains(char::is_alphabetic)).map(|(core, _)| core)
    };
    (0..=MOST_ADDED).filter_map(ends).flat_map(|core| {
        (0..=MOST_ADDED).filter_map(move |added| {
            let rest = core.split_at_checked(added)?;
            (!rest.0.contains(char::is_alphabetic)).then_some(rest.1)
        })
    })
}

fn undisguised(c: char) -> char {
    match c {
        '@' | '4' => 'a',
        '3' => 'e',
        '1' | '!' => 'i',
        '0' => 'o',
        '$' | '5' => 's',
        '7' => 't',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Email;

    fn check(policy: PasswordPolicy, text: &str) -> Result<(), WeakPassword> {
        let email = Email::parse("ann.lee@example.com").unwrap();
        let username = Username::parse("annie1984").unwrap();
        let own = PersonalData { email: &email, name: "Ann Mary Lee", username: Some(&username) };
        policy.check_for(&Password::parse(text).unwrap(), own)
    }

    #[test]
    fn length_counts_code_points() {
        let basic = PasswordPolicy::Basic;
        assert_eq!(check(basic, "abcdefg"), Err(WeakPassword::TooShort));
        assert_eq!(check(basic, &"é".repeat(7)), Err(WeakPassword::TooShort));
        assert_eq!(check(basic, "éàüöñçøå"), Ok(()));
    }

    #[test]
    fn the_published_sample_passwords_pass() {
        for text in
            ["SecurePass123!", "TestPass123!", "NewSecurePass456!", "secretpassword", "testpass123"]
        {
            assert_eq!(check(PasswordPolicy::Basic, text), Ok(()), "{text}");
        }
    }

    #[test]
    fn phrases_in_any_script_pass() {
        for text in
            ["correct horse battery staple", "パスワードは長いほうがよい", "  lead and trail  "]
        {
            assert_eq!(check(PasswordPolicy::Basic, text), Ok(()), "{text}");
        }
    }

    #[test]
    fn pw_09_common_passwords_and_their_disguises_are_refused() {
        assert!(COMMON.len() >= 10_000);
        for text in [
            "password1",
            "qwertyuiop",
            "iloveyou1",
            "12345678",
            "PassWord1",
            "p@ssw0rd",
            "P@$$w0rd",
        ] {
            assert_eq!(check(PasswordPolicy::Basic, text), Err(WeakPassword::Common), "{text}");
        }
    }

    #[test]
    fn pw_08_pw_09_every_listed_password_is_refused_with_its_trivial_variants() {
        let long: Vec<_> = COMMON.iter().filter(|text| text.len() >= MIN_CODE_POINTS).collect();
        assert!(long.len() >= 10_000, "{}", long.len());
        let is_refused = |text: &str| is_common(text) || panic!("{text} is accepted");
        for text in long {
            let capital = text[..1].to_uppercase() + &text[1..];
            for variant in [(*text).to_owned(), text.to_uppercase(), capital.clone()] {
                assert!(is_refused(&variant));
            }
            for variant in [format!("{capital}!"), format!("{text}1"), format!("{capital}1!")] {
                assert!(is_refused(&variant));
            }
            if text.bytes().all(|byte| byte.is_ascii_lowercase()) {
                let disguised = text.replace('a', "@").replace('e', "3").replace('i', "1");
                assert!(is_refused(&disguised.replace('o', "0").replace('s', "$")));
            }
        }
    }

    #[test]
    fn pw_10_the_services_name_is_refused() {
        for text in ["portcullis", "Portcullis", "Portcullis1!", "P0rtcull1s"] {
            assert_eq!(check(PasswordPolicy::Basic, text), Err(WeakPassword::Common), "{text}");
        }
        assert_eq!(check(PasswordPolicy::Basic, "under the portcullis"), Ok(()));
    }

    #[test]
    fn what_is_added_to_a_common_word_makes_it_no_longer_common_if_it_is_enough() {
        for text in ["password-6482", "x1password", "sunshine on leith", "ab1password9c"] {
            assert_eq!(check(PasswordPolicy::Basic, text), Ok(()), "{text}");
        }
    }

    #[test]
    fn the_accounts_own_data_is_refused_in_any_case() {
        for text in ["ANN.LEE@example.com", "Ann.Lee", "ann mary lee", "ANNIE1984"] {
            let refused = check(PasswordPolicy::Basic, text).unwrap_err();
            assert!(
                matches!(refused, WeakPassword::Personal | WeakPassword::TooShort),
                "{text}: {refused}"
            );
        }
        assert_eq!(check(PasswordPolicy::Basic, "annie1984"), Err(WeakPassword::Personal));
    }

    #[test]
    fn composition_names_the_first_missing_kind_in_the_contracts_order() {
        let check = |text| check(PasswordPolicy::Composition, text);
        assert_eq!(check("alllower"), Err(WeakPassword::NoUppercase));
        assert_eq!(check("ALLUPPER"), Err(WeakPassword::NoLowercase));
        assert_eq!(check("NoDigitsHere"), Err(WeakPassword::NoDigit));
        assert_eq!(check("NoSpecial123"), Err(WeakPassword::NoSpecial));
        assert_eq!(check("SecurePass123!"), Ok(()));
    }

    #[test]
    fn every_text_starts_with_password() {
        for refusal in [
            WeakPassword::TooShort,
            WeakPassword::NoUppercase,
            WeakPassword::NoLowercase,
            WeakPassword::NoDigit,
            WeakPassword::NoSpecial,
            WeakPassword::Common,
            WeakPassword::Personal,
        ] {
            assert!(refusal.to_string().starts_with("Password"));
        }
    }
}
