//! Whether two samples differ: how much, how surely, and in pairs.

use std::cmp::Ordering;

use crate::Random;

/// From where to where something lies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Interval {
    pub(super) low: f64,
    pub(super) high: f64,
}

#[expect(clippy::cast_precision_loss, reason = "thousands of values")]
fn real(count: usize) -> f64 {
    count as f64
}

/// The value in the middle.
pub(super) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => f64::NAN,
        odd if odd % 2 == 1 => sorted[odd / 2],
        even => f64::midpoint(sorted[even / 2 - 1], sorted[even / 2]),
    }
}

/// Each value, and the same with a difference.
pub(super) fn shifted(values: &[f64], by: f64) -> Vec<(f64, f64)> {
    values.iter().map(|value| (*value, value + by)).collect()
}

/// Cliff's delta: how likely one of the second values is greater than one of the
/// first, less how likely it is smaller. From -1 to 1; 0 tells nothing.
pub(super) fn cliffs_delta(pairs: &[(f64, f64)]) -> f64 {
    Sorted::of(pairs).delta(&vec![1; pairs.len()])
}

/// Where Cliff's delta lies with 95 % confidence, by drawing the pairs anew.
pub(super) fn bootstrap(pairs: &[(f64, f64)], resamples: usize, random: &mut Random) -> Interval {
    let sorted = Sorted::of(pairs);
    let mut deltas: Vec<f64> = (0..resamples)
        .map(|_| {
            let mut drawn = vec![0; pairs.len()];
            for _ in pairs {
                drawn[random.below(pairs.len())] += 1;
            }
            sorted.delta(&drawn)
        })
        .collect();
    deltas.sort_by(f64::total_cmp);
    let tail = resamples / 40;
    Interval { low: deltas[tail], high: deltas[resamples - 1 - tail] }
}

/// All values in order; each knows its pair and whether it is its second one.
struct Sorted(Vec<(f64, usize, bool)>);

impl Sorted {
    fn of(pairs: &[(f64, f64)]) -> Self {
        let both = pairs.iter().enumerate();
        let mut values: Vec<_> = both
            .flat_map(|(pair, (first, second))| [(*first, pair, false), (*second, pair, true)])
            .collect();
        values.sort_by(|a, b| a.0.total_cmp(&b.0));
        Self(values)
    }

    /// Cliff's delta where each pair counts as often as it was drawn.
    fn delta(&self, drawn: &[usize]) -> f64 {
        let (mut firsts, mut seconds, mut balance) = (0.0, 0.0, 0.0);
        for equal in self.0.chunk_by(|a, b| a.0.total_cmp(&b.0) == Ordering::Equal) {
            let count = |is_second: bool| {
                let those = equal.iter().filter(|value| value.2 == is_second);
                real(those.map(|value| drawn[value.1]).sum())
            };
            let (first, second) = (count(false), count(true));
            balance += second * firsts - first * seconds;
            firsts += first;
            seconds += second;
        }
        balance / (firsts * seconds)
    }
}

/// The Wilcoxon signed-rank test of pairs, two-sided: how likely differences as
/// lopsided as these are if there is none. By the normal approximation, with
/// corrections for ties and for continuity.
pub(super) fn wilcoxon(pairs: &[(f64, f64)]) -> f64 {
    let differences = pairs.iter().map(|(first, second)| second - first);
    let mut differences: Vec<f64> = differences.filter(|by| *by != 0.0).collect();
    differences.sort_by(|a, b| a.abs().total_cmp(&b.abs()));
    let count = real(differences.len());
    let (mut rank, mut positive, mut ties) = (0.0, 0.0, 0.0);
    for equal in differences.chunk_by(|a, b| a.abs().total_cmp(&b.abs()) == Ordering::Equal) {
        let size = real(equal.len());
        let shared = rank + f64::midpoint(size, 1.0);
        positive += shared * real(equal.iter().filter(|by| **by > 0.0).count());
        ties += size * size * size - size;
        rank += size;
    }
    let mean = count * (count + 1.0) / 4.0;
    let variance = count * (count + 1.0) * (2.0 * count + 1.0) / 24.0 - ties / 48.0;
    if variance <= 0.0 {
        return 1.0;
    }
    let distance = ((positive - mean).abs() - 0.5).max(0.0);
    complementary_error(distance / variance.sqrt() / std::f64::consts::SQRT_2)
}

/// The complementary error function of a positive number (Abramowitz and Stegun,
/// 7.1.26; off by less than 1.5e-7).
fn complementary_error(x: f64) -> f64 {
    const TERMS: [f64; 5] =
        [1.061_405_429, -1.453_152_027, 1.421_413_741, -0.284_496_736, 0.254_829_592];
    let t = 1.0 / (1.0 + 0.327_591_1 * x);
    TERMS.iter().fold(0.0, |sum, term| (sum + term) * t) * (-x * x).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn is_close(value: f64, expected: f64, within: f64) {
        assert!((value - expected).abs() < within, "{value} is not {expected}");
    }

    fn noisy(count: usize, by: f64) -> Vec<(f64, f64)> {
        let mut random = Random::of(11);
        let mut draw = || (0..12).map(|_| real(random.below(1000)) / 1000.0).sum::<f64>() - 6.0;
        (0..count).map(|_| (draw(), draw() + by)).collect()
    }

    #[test]
    fn the_median_is_in_the_middle() {
        is_close(median(&[3.0, 1.0, 2.0]), 2.0, 1e-12);
        is_close(median(&[4.0, 1.0, 2.0, 3.0]), 2.5, 1e-12);
    }

    #[test]
    fn delta_counts_which_is_greater() {
        is_close(cliffs_delta(&[(1.0, 2.0), (1.0, 2.0)]), 1.0, 1e-12);
        is_close(cliffs_delta(&[(2.0, 1.0), (2.0, 1.0)]), -1.0, 1e-12);
        is_close(cliffs_delta(&[(1.0, 1.0), (2.0, 2.0)]), 0.0, 1e-12);
        // Of nine comparisons: 2>1, 3>1, 3>2, 4>1, 4>2, 4>3; 2=2, 3=3; 2<3.
        is_close(cliffs_delta(&[(1.0, 2.0), (2.0, 3.0), (3.0, 4.0)]), 5.0 / 9.0, 1e-12);
        let pairs = noisy(200, 0.3);
        let greater = |a: f64, b: f64| f64::from(u8::from(b > a)) - f64::from(u8::from(b < a));
        let slow: f64 = pairs
            .iter()
            .flat_map(|(first, _)| pairs.iter().map(move |(_, second)| greater(*first, *second)))
            .sum();
        is_close(cliffs_delta(&pairs), slow / 40_000.0, 1e-9);
    }

    /// Two normal distributions whose means are d deviations apart have a delta of
    /// 2 Φ(d / √2) - 1: for 0.5 that is 0.2763.
    #[test]
    fn the_interval_holds_the_delta_of_known_distributions() {
        let mut random = Random::of(1);
        let same = bootstrap(&noisy(1000, 0.0), 1000, &mut random);
        assert!(same.low < 0.0 && 0.0 < same.high, "{same:?}");
        assert!(same.high - same.low < 0.12, "{same:?}");
        let apart = bootstrap(&noisy(1000, 0.5), 1000, &mut random);
        assert!(apart.low < 0.2763 && 0.2763 < apart.high, "{apart:?}");
        assert!(apart.low > 0.15, "{apart:?}");
    }

    /// R's `wilcox.test(x, y, paired = TRUE, exact = FALSE)` of the Hamilton
    /// depression scores in Hollander and Wolfe, ten times each.
    #[test]
    fn wilcoxon_agrees_with_the_textbook() {
        let x = [18.3, 5.0, 16.2, 24.8, 16.8, 18.8, 15.5, 30.6, 13.0];
        let y = [8.78, 6.47, 5.98, 20.5, 10.6, 12.9, 10.6, 31.4, 12.9];
        let pairs: Vec<_> = x.into_iter().zip(y).collect();
        is_close(wilcoxon(&pairs), 0.044_01, 1e-4);
        is_close(wilcoxon(&[(1.0, 1.0), (2.0, 2.0)]), 1.0, 1e-12);
        assert!(wilcoxon(&noisy(1000, 0.0)) > 0.01);
        assert!(wilcoxon(&noisy(1000, 0.5)) < 1e-6);
    }

    #[test]
    fn the_error_function_is_known() {
        is_close(complementary_error(0.0), 1.0, 1e-6);
        is_close(complementary_error(1.0), 0.157_299_2, 1e-6);
        is_close(complementary_error(2.0), 0.004_677_7, 1e-6);
    }
}
