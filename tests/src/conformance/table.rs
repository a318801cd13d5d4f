//! The trials as a document.

use std::fmt::Write;

use portcullis_conformance::catalogue::{self, Law};

use super::Trial;

/// The crate whose adapters are broken on purpose.
const BROKEN: &str = "conformance";

const INTRODUCTION: &str = "\
# Conformance

Which adapter keeps which laws. `just conformance` runs them all and writes this file; do not edit it.
A test of every run of `tests/run.sh` holds it against the laws that are there.

✓ the law holds, ✗ it is broken, – it is not asked of this adapter. *Can fail* means that an adapter
with one deliberate defect was seen to break the law, and the same adapter without the defect to keep
it: [`broken_adapters.rs`](../crates/conformance/tests/broken_adapters.rs). What the laws are, and how
to run them over an adapter of your own: [the kit](../crates/conformance/README.md),
[the guide](adapters.md).
";

/// A column of the document: an adapter in one arrangement.
#[derive(Clone, PartialEq, Eq)]
struct Column {
    adapter: String,
    arrangement: Option<String>,
}

impl Column {
    fn of(trial: &Trial) -> Self {
        Self { adapter: trial.adapter.clone(), arrangement: trial.arrangement.clone() }
    }

    fn heading(&self) -> String {
        match &self.arrangement {
            Some(arrangement) => format!("{}, {}", self.adapter, arrangement.replace('_', " ")),
            None => self.adapter.clone(),
        }
    }
}

/// The trials as a Markdown document.
#[must_use]
pub fn table(trials: &[Trial]) -> String {
    let laws = catalogue::laws();
    let mut text = INTRODUCTION.to_owned();
    summary(&mut text, &laws, trials);
    for family in families(&laws) {
        section(&mut text, family, &laws, trials);
    }
    text
}

fn families(laws: &[Law]) -> Vec<&'static str> {
    let mut families: Vec<_> = laws.iter().map(|law| law.family).collect();
    families.dedup();
    families
}

fn columns<'a>(trials: impl Iterator<Item = &'a Trial>) -> Vec<Column> {
    let mut columns = Vec::new();
    for column in trials.filter(|trial| trial.adapter != BROKEN).map(Column::of) {
        if !columns.contains(&column) {
            columns.push(column);
        }
    }
    columns
}

fn summary(text: &mut String, laws: &[Law], trials: &[Trial]) {
    let can_fail = trials.iter().filter(|trial| trial.adapter == BROKEN && trial.holds).count();
    let tried: Vec<_> = trials.iter().filter(|trial| trial.adapter != BROKEN).collect();
    let held = tried.iter().filter(|trial| trial.holds).count();
    let (laws, tried_count) = (laws.len(), tried.len());
    write!(
        text,
        "\n{laws} laws, of which {can_fail} were seen to fail; {held} of {tried_count} trials passed.\n\n\
         | adapter | laws | held |\n|---|---:|---:|\n"
    )
    .unwrap();
    for column in columns(trials.iter()) {
        let of_column: Vec<_> = tried.iter().filter(|trial| Column::of(trial) == column).collect();
        let held = of_column.iter().filter(|trial| trial.holds).count();
        writeln!(text, "| {} | {} | {held} |", column.heading(), of_column.len()).unwrap();
    }
}

fn section(text: &mut String, family: &str, laws: &[Law], trials: &[Trial]) {
    let of_family = || trials.iter().filter(|trial| trial.law.family == family);
    let columns = columns(of_family());
    write!(text, "\n## `{family}!`\n\n| law | can fail |").unwrap();
    for column in &columns {
        write!(text, " {} |", column.heading()).unwrap();
    }
    let alignments = ":-:|".repeat(columns.len() + 1);
    writeln!(text, "\n|---|{alignments}").unwrap();
    let mut module = "";
    for law in laws.iter().filter(|law| law.family == family) {
        if law.module != module {
            module = law.module;
            writeln!(
                text,
                "| **{}** |{}",
                module.replace('_', " "),
                " |".repeat(columns.len() + 1)
            )
            .unwrap();
        }
        let cell = |is_it: &dyn Fn(&Trial) -> bool| {
            let trial = of_family().find(|trial| trial.law == *law && is_it(trial));
            trial.map_or("–", |trial| if trial.holds { "✓" } else { "✗" })
        };
        write!(
            text,
            "| {} | {} |",
            law.name.replace('_', " "),
            cell(&|trial| trial.adapter == BROKEN)
        )
        .unwrap();
        for column in &columns {
            write!(text, " {} |", cell(&|trial| Column::of(trial) == *column)).unwrap();
        }
        text.push('\n');
    }
    write!(text, "| held of {} |", laws.iter().filter(|law| law.family == family).count()).unwrap();
    let count = |is_it: &dyn Fn(&Trial) -> bool| {
        of_family().filter(|trial| trial.holds && is_it(trial)).count()
    };
    write!(text, " {} |", count(&|trial| trial.adapter == BROKEN)).unwrap();
    for column in &columns {
        write!(text, " {} |", count(&|trial| Column::of(trial) == *column)).unwrap();
    }
    text.push('\n');
}
