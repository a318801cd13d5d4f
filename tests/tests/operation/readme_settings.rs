//! The README's table of settings is the program's own.

use portcullis_tests::run;

const README: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md");

#[test]
fn the_table_of_settings_is_what_the_program_prints() {
    let readme = std::fs::read_to_string(README).unwrap();
    let (_, rest) = readme.split_once("<!-- settings:begin -->\n").expect("the table begins");
    let (table, _) = rest.split_once("<!-- settings:end -->").expect("the table ends");
    let folder = tempfile::tempdir().unwrap();
    let printed = run(folder.path(), &["config", "--reference"], &[]);
    assert_eq!(table, printed.stdout, "README.md: replace it by `portcullis config --reference`");
}
