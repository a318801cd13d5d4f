//! Laws of accounts on their way in and out.

use std::sync::Arc;
use std::time::Duration;

use portcullis_domain::{
    AccountStatus, ImportOutcome, ImportedId, ImportedUser, LoginIdentifier, NamePart,
    PasswordHash, PersonName, UniqueValue, User, UserNumber,
};

use crate::Stores;
use crate::build::{
    START, TICK, email, imported_user, name, new_user, stored_user, user_id, username,
};
use crate::race::{cancel_after, race};

/// How soon the store must be usable after an import was cancelled.
const SOON: Duration = Duration::from_secs(2);
/// Before every number.
const NONE: UserNumber = UserNumber::new(0);

fn same() -> ImportOutcome {
    ImportOutcome::AlreadyThere { differs: false }
}

/// An account from elsewhere that has everything an account can have.
fn full(local: &str, number: i64) -> ImportedUser {
    let part = |text| NamePart::parse(text).unwrap();
    ImportedUser {
        number: Some(UserNumber::new(number)),
        email_verified_at: Some(START + TICK),
        username: Some(username(&format!("{local}.Lee"))),
        name: PersonName::in_parts(part("Ann Mary"), part("Lée 🦀")),
        password_hash: PasswordHash::new("pbkdf2_sha256$1$a$b".into()),
        password_changed_at: START + 2 * TICK,
        status: AccountStatus::Disabled,
        created_at: START - Duration::from_hours(100_000),
        updated_at: Some(START + 3 * TICK),
        last_login_at: Some(START + 4 * TICK),
        ..imported_user(local)
    }
}

async fn import(stores: &Stores, batch: &[ImportedUser]) -> Vec<ImportOutcome> {
    stores.archive.import(batch.to_vec()).await.unwrap()
}

async fn found(stores: &Stores, user: &ImportedUser) -> Option<User> {
    let mut unit = stores.store.begin().await.unwrap();
    unit.users().by_id(user.id.get()).await.unwrap()
}

/// Whatever an account brings along is what is read, with and without the
/// optional fields, also from before the epoch.
pub async fn every_field_of_an_imported_account_is_kept(stores: &Stores) {
    let old = ImportedUser { created_at: START - Duration::from_hours(600_000), ..full("old", 9) };
    let bare = ImportedUser { number: Some(UserNumber::new(4)), ..imported_user("bare") };
    let batch = [full("ann", 7), old, bare];
    assert_eq!(import(stores, &batch).await, vec![ImportOutcome::Added; 3]);
    for user in batch {
        let number = user.number.unwrap();
        let read = found(stores, &user).await.expect("the user is there");
        let spelled = |name: &User| name.username.as_ref().map(|name| name.as_str().to_owned());
        let expected = user.numbered(number);
        assert_eq!(read, expected);
        assert_eq!(spelled(&read), spelled(&expected), "the spelling of a username is kept");
    }
}

/// An account from elsewhere is an account like any other.
pub async fn an_imported_account_is_found_by_each_identifier(stores: &Stores) {
    let ann = full("ann", 7);
    import(stores, std::slice::from_ref(&ann)).await;
    let mut unit = stores.store.begin().await.unwrap();
    for text in ["ANN@example.com", "ann.lee"] {
        let identifier = LoginIdentifier::parse(text).unwrap();
        let found = unit.users().by_identifier(&identifier).await.unwrap();
        assert_eq!(found.map(|found| found.id), Some(ann.id.get()), "{text}");
    }
    assert!(unit.users().add(new_user("ann")).await.is_err(), "its address is taken");
}

/// An import that was broken off is begun again and adds what is missing; an
/// account without an id is known by its address.
pub async fn importing_again_finds_everything_there(stores: &Stores) {
    let nameless = || ImportedUser { id: ImportedId::Fresh(user_id()), ..imported_user("eve") };
    let (ann, bob) = (full("ann", 7), imported_user("bob"));
    assert_eq!(import(stores, &[ann.clone(), nameless()]).await, vec![ImportOutcome::Added; 2]);
    let again = import(stores, &[ann, bob, nameless()]).await;
    assert_eq!(again, [same(), ImportOutcome::Added, same()]);
}

/// Its owner may have logged in since, and chosen another name.
pub async fn an_account_that_is_there_is_left_as_it_is(stores: &Stores) {
    let ann = full("ann", 7);
    import(stores, std::slice::from_ref(&ann)).await;
    let mut unit = stores.store.begin().await.unwrap();
    unit.users().rename(ann.id.get(), &name("Ann Kay"), START + 9 * TICK).await.unwrap();
    unit.commit().await.unwrap();
    let changed = found(stores, &ann).await;
    let again = import(stores, std::slice::from_ref(&ann)).await;
    assert_eq!(again, [ImportOutcome::AlreadyThere { differs: true }]);
    assert_eq!(found(stores, &ann).await, changed);
}

/// Each unique value that somebody else holds is named, and no other.
pub async fn a_conflict_names_what_is_held(stores: &Stores) {
    let conflict = |values: &[UniqueValue]| ImportOutcome::Conflict(values.to_vec());
    let (ann, bob) = (full("ann", 7), full("bob", 8));
    import(stores, &[ann.clone(), bob.clone()]).await;
    let eve = || full("eve", 9);
    let by_id = ImportedUser { id: ann.id, ..eve() };
    let by_number = ImportedUser { number: ann.number, ..eve() };
    let by_email = ImportedUser { email: email("ann"), ..eve() };
    let by_username = ImportedUser { username: Some(username("ANN.LEE")), ..eve() };
    let by_two = ImportedUser { email: email("ann"), username: Some(username("bob.lee")), ..eve() };
    let unnumbered = ImportedUser { number: None, email: email("bob"), ..eve() };
    for (user, values) in [
        (by_id, &[UniqueValue::Id][..]),
        (by_number, &[UniqueValue::Number]),
        (by_email, &[UniqueValue::Email]),
        (by_username, &[UniqueValue::Username]),
        (by_two, &[UniqueValue::Email, UniqueValue::Username]),
        (unnumbered, &[UniqueValue::Email]),
    ] {
        assert_eq!(import(stores, &[user]).await, [conflict(values)]);
    }
    assert_eq!(stores.archive.export(NONE, 10).await.unwrap().len(), 2);
}

/// What can be added of a batch is.
pub async fn a_conflict_keeps_only_its_own_account_out(stores: &Stores) {
    stored_user(&*stores.store, "ann").await;
    let batch = [imported_user("bob"), imported_user("ann"), imported_user("eve")];
    let outcomes = import(stores, &batch).await;
    let conflict = ImportOutcome::Conflict(vec![UniqueValue::Email]);
    assert_eq!(outcomes, [ImportOutcome::Added, conflict, ImportOutcome::Added]);
    assert!(found(stores, &batch[0]).await.is_some());
    assert!(found(stores, &batch[1]).await.is_none());
    assert!(found(stores, &batch[2]).await.is_some());
}

/// A batch may be at odds with itself, even over an id.
pub async fn of_two_in_a_batch_that_share_a_value_the_first_is_added(stores: &Stores) {
    let conflict = |value| ImportOutcome::Conflict(vec![value]);
    let ann = full("ann", 7);
    let same_email = ImportedUser { email: email("ann"), ..full("bob", 8) };
    let same_id = ImportedUser { id: ann.id, ..full("eve", 9) };
    let same_number = ImportedUser { number: ann.number, ..full("ida", 10) };
    let outcomes = import(stores, &[ann.clone(), same_email, same_id, same_number, ann]).await;
    let expected = [
        ImportOutcome::Added,
        conflict(UniqueValue::Email),
        conflict(UniqueValue::Id),
        conflict(UniqueValue::Number),
        same(),
    ];
    assert_eq!(outcomes, expected);
    let there = stores.archive.export(NONE, 10).await.unwrap();
    assert_eq!(there.into_iter().map(|user| user.email).collect::<Vec<_>>(), [email("ann")]);
}

/// Whoever imported can tell which account each outcome is of.
pub async fn outcomes_come_in_the_order_of_their_accounts(stores: &Stores) {
    let there = imported_user("there");
    import(stores, std::slice::from_ref(&there)).await;
    let batch =
        [full("ann", 30), there, imported_user("bob"), imported_user("there"), full("eve", 20)];
    let outcomes = import(stores, &batch).await;
    let conflict = ImportOutcome::Conflict(vec![UniqueValue::Email]);
    let added = ImportOutcome::Added;
    assert_eq!(outcomes, [added.clone(), same(), added.clone(), conflict, added]);
}

/// Contract B's clients know accounts by their numbers: nobody else gets one.
pub async fn a_kept_number_is_not_counted_again(stores: &Stores) {
    import(stores, &[full("ann", 1_000), full("bob", 7)]).await;
    let registered = stored_user(&*stores.store, "eve").await;
    assert!(registered.number.get() > 1_000, "{:?}", registered.number);
    import(stores, &[imported_user("ida")]).await;
    let there = stores.archive.export(registered.number, 10).await.unwrap();
    assert_eq!(there.len(), 1, "an imported account is counted after it");
}

/// An account that had no number elsewhere gets the next one.
pub async fn an_account_without_a_number_is_counted(stores: &Stores) {
    let before = stored_user(&*stores.store, "ann").await.number;
    let batch = [imported_user("bob"), imported_user("eve")];
    import(stores, &batch).await;
    let mut numbers = vec![before];
    for user in &batch {
        numbers.push(found(stores, user).await.unwrap().number);
    }
    numbers.push(stored_user(&*stores.store, "ida").await.number);
    assert!(numbers.is_sorted_by(|one, next| one < next), "{numbers:?}");
}

/// A look beforehand says the same and leaves no trace.
pub async fn comparing_tells_what_is_there_and_writes_nothing(stores: &Stores) {
    let (ann, bob) = (full("ann", 7), full("bob", 8));
    import(stores, std::slice::from_ref(&ann)).await;
    let other = ImportedUser { email: email("ann"), ..full("eve", 9) };
    let batch = vec![ann, bob.clone(), other];
    let conflict = ImportOutcome::Conflict(vec![UniqueValue::Email]);
    let outcomes = stores.archive.compare(batch).await.unwrap();
    assert_eq!(outcomes, [Some(same()), None, Some(conflict)]);
    assert_eq!(found(stores, &bob).await, None);
}

/// A page goes on where the last one ended, and misses nobody.
pub async fn accounts_are_exported_page_by_page_in_the_order_of_their_numbers(stores: &Stores) {
    let numbers = [30, 10, 50, 20, 40];
    let batch: Vec<_> = numbers.iter().map(|number| full(&format!("u{number}"), *number)).collect();
    import(stores, &batch).await;
    let page = async |after: i64, limit| -> Vec<i64> {
        let page = stores.archive.export(UserNumber::new(after), limit).await.unwrap();
        page.iter().map(|user| user.number.get()).collect()
    };
    assert_eq!(page(0, 2).await, [10, 20]);
    assert_eq!(page(20, 2).await, [30, 40]);
    assert_eq!(page(40, 2).await, [50]);
    assert_eq!(page(50, 2).await, [0; 0]);
    assert_eq!(page(0, 10).await, [10, 20, 30, 40, 50]);
}

/// Accounts leave as they came.
pub async fn what_is_exported_is_what_was_imported(stores: &Stores) {
    let batch =
        [full("ann", 7), ImportedUser { number: Some(UserNumber::new(8)), ..imported_user("bob") }];
    import(stores, &batch).await;
    let exported = stores.archive.export(NONE, 10).await.unwrap();
    let expected = batch.map(|user| {
        let number = user.number.unwrap();
        user.numbered(number)
    });
    assert_eq!(exported, expected);
}

/// The database decides who was first, not a look beforehand.
pub async fn of_parallel_imports_of_one_account_one_adds_it(stores: &Stores) {
    let ann = imported_user("ann");
    let outcomes = race(16, |_| {
        let (archive, ann) = (Arc::clone(&stores.archive), ann.clone());
        async move { archive.import(vec![ann]).await.unwrap().remove(0) }
    })
    .await;
    let added = outcomes.iter().filter(|outcome| **outcome == ImportOutcome::Added).count();
    let there = outcomes.iter().filter(|outcome| **outcome == same()).count();
    assert_eq!((added, there), (1, 15));
}

/// Dropping an import's future at each await leaves either nothing or everything.
pub async fn an_import_cancelled_at_any_moment_adds_all_of_a_batch_or_nothing(stores: &Stores) {
    for polls in 0..1_000 {
        let local = |letter: char| format!("{letter}{polls}");
        // Of two kinds, so that they are two statements; no kept number is near
        // enough to be counted first.
        let number = 1_000 * i64::from(polls + 1);
        let batch = vec![imported_user(&local('a')), full(&local('b'), number)];
        let work = stores.archive.import(batch.clone());
        let finished = cancel_after(polls, work).await;
        // One look at both: the batch may appear between two.
        let look = tokio::time::timeout(SOON, stores.archive.export(NONE, 10_000));
        let there = look.await.expect("the store is stuck").unwrap();
        let is_there = |user: &ImportedUser| there.iter().any(|other| other.id == user.id.get());
        let (first, second) = (is_there(&batch[0]), is_there(&batch[1]));
        assert_eq!(first, second, "half a batch is there after {polls} polls");
        if finished {
            assert!(first, "nothing is there of a finished import");
            return;
        }
    }
    panic!("the import never finishes");
}

/// A batch is as large as its maker wants, whatever a statement can hold.
pub async fn many_accounts_fit_into_one_batch(stores: &Stores) {
    let batch: Vec<_> = (1..=2_500).map(|at| full(&format!("user{at}"), at)).collect();
    let outcomes = import(stores, &batch).await;
    assert_eq!(outcomes, vec![ImportOutcome::Added; 2_500]);
    let compared = stores.archive.compare(batch).await.unwrap();
    assert_eq!(compared, vec![Some(same()); 2_500]);
    assert_eq!(stores.archive.export(NONE, 10_000).await.unwrap().len(), 2_500);
}
