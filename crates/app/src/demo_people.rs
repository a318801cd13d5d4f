//! Who the demo users are: made up by their numbers, and always the same.

use portcullis_domain::{AccountStatus, Email, NamePart, PasswordHash, PersonName, Username};

use crate::{Arrival, MailboxProof};

/// Where their addresses are: nobody can have a mailbox there (RFC 2606 §3), and
/// nobody but a demo user has an address there.
pub(crate) const DOMAIN: &str = "demo.example.com";

/// First names, and how they are spelled in addresses. As many as have no
/// divisor in common with [`LAST_NAMES`]: so 992 people differ in their names.
const FIRST_NAMES: [(&str, &str); 32] = [
    ("Amélie", "amelie"),
    ("Adaeze", "adaeze"),
    ("Björn", "bjorn"),
    ("Beatriz", "beatriz"),
    ("Chidi", "chidi"),
    ("Clara", "clara"),
    ("Darius", "darius"),
    ("Diego", "diego"),
    ("Elif", "elif"),
    ("Emma", "emma"),
    ("Farid", "farid"),
    ("Freya", "freya"),
    ("Giulia", "giulia"),
    ("Hana", "hana"),
    ("Ibrahim", "ibrahim"),
    ("Ines", "ines"),
    ("Jakub", "jakub"),
    ("Keiko", "keiko"),
    ("Łucja", "lucja"),
    ("Liam", "liam"),
    ("Mateo", "mateo"),
    ("Meera", "meera"),
    ("Nadia", "nadia"),
    ("Noah", "noah"),
    ("Olga", "olga"),
    ("Priya", "priya"),
    ("Ravi", "ravi"),
    ("Søren", "soren"),
    ("Thandi", "thandi"),
    ("Víctor", "victor"),
    ("Wei", "wei"),
    ("Zoë", "zoe"),
];

/// Last names, in the same way.
const LAST_NAMES: [(&str, &str); 31] = [
    ("Abara", "abara"),
    ("Andersen", "andersen"),
    ("Bianchi", "bianchi"),
    ("Çelik", "celik"),
    ("Costa", "costa"),
    ("Dubois", "dubois"),
    ("Eriksson", "eriksson"),
    ("Fischer", "fischer"),
    ("García", "garcia"),
    ("Haddad", "haddad"),
    ("Hughes", "hughes"),
    ("Ivanova", "ivanova"),
    ("Jansen", "jansen"),
    ("Kaya", "kaya"),
    ("Kowalska", "kowalska"),
    ("Lindqvist", "lindqvist"),
    ("Martin", "martin"),
    ("Mbeki", "mbeki"),
    ("Moreau", "moreau"),
    ("Nakamura", "nakamura"),
    ("Novák", "novak"),
    ("O'Brien", "obrien"),
    ("Okafor", "okafor"),
    ("Patel", "patel"),
    ("Popescu", "popescu"),
    ("Quispe", "quispe"),
    ("Rossi", "rossi"),
    ("Silva", "silva"),
    ("Tanaka", "tanaka"),
    ("Weber", "weber"),
    ("Zhang", "zhang"),
];

/// The demo user of that number, verified, with a username and that hash.
#[expect(clippy::expect_used, reason = "a test reads every name, and the greatest number")]
pub(crate) fn demo_person(number: u64, password_hash: &PasswordHash) -> Arrival {
    let (first, first_ascii) = FIRST_NAMES[index(number, FIRST_NAMES.len())];
    let (last, last_ascii) = LAST_NAMES[index(number, LAST_NAMES.len())];
    let unique = format!("{first_ascii}.{last_ascii}.{number}");
    let part = |text| NamePart::parse(text).expect("a name");
    Arrival {
        id: None,
        number: None,
        email: Email::parse(&format!("{unique}@{DOMAIN}")).expect("an address"),
        mailbox_proof: MailboxProof::SinceRegistration,
        username: Some(Username::parse(&unique).expect("a username")),
        name: PersonName::in_parts(part(first), part(last)),
        password_hash: password_hash.clone(),
        password_changed_at: None,
        status: AccountStatus::Active,
        created_at: None,
        updated_at: None,
        last_login_at: None,
    }
}

/// The remainder fits, since `len` does.
fn index(number: u64, len: usize) -> usize {
    usize::try_from(number % len as u64).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn person(number: u64) -> Arrival {
        demo_person(number, &PasswordHash::new("$fake$hash".into()))
    }

    #[test]
    fn a_number_is_one_person_for_ever() {
        assert_eq!(person(17), person(17));
        let first = person(1);
        assert_eq!(first.email.as_str(), "adaeze.andersen.1@demo.example.com");
        assert_eq!(first.name.full().as_str(), "Adaeze Andersen");
        assert!(!first.waits_for_proof());
    }

    #[test]
    fn no_two_demo_users_share_an_address_or_a_username() {
        let people: Vec<Arrival> = (0..5_000).map(person).collect();
        let distinct: HashSet<_> =
            people.iter().map(|person| (&person.email, &person.username)).collect();
        assert_eq!(distinct.len(), people.len());
        let names: HashSet<_> = people.iter().map(|person| person.name.full().as_str()).collect();
        assert_eq!(names.len(), FIRST_NAMES.len() * LAST_NAMES.len());
    }

    #[test]
    fn the_longest_names_and_the_greatest_number_fit_a_username() {
        let widest = u64::MAX - u64::MAX % 992;
        for number in (widest - 992)..widest {
            assert!(person(number).username.is_some());
        }
        person(u64::MAX);
    }
}
