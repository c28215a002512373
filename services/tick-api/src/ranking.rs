//! How good an image is taken to be: ScoreModel's score, and more and more the people's ratings.

/// How many ratings the score weighs as much as.
const WEIGHT: f64 = 4.0;
/// The score of an image that has none yet: the middle of the scale.
const UNSCORED: f64 = 3.0;

/// The Bayesian mean of score and ratings, from 1 to 5.
pub(crate) fn rank(score: Option<f64>, count: i64, sum: i64) -> f64 {
    let prior = score.unwrap_or(UNSCORED);
    (WEIGHT * prior + number(sum)) / (WEIGHT + number(count))
}

/// The plain mean of the ratings, if there are any.
pub(crate) fn mean(count: i64, sum: i64) -> Option<f64> {
    (count > 0).then(|| number(sum) / number(count))
}

/// As people read it: with two decimals.
pub(crate) fn rounded(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

/// Ratings come in counts that fit; more would not change a mean any more.
fn number(value: i64) -> f64 {
    f64::from(i32::try_from(value).unwrap_or(i32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_close(left: f64, right: f64) {
        assert!((left - right).abs() < 1e-9, "{left} is not {right}");
    }

    #[test]
    fn an_image_without_score_and_ratings_stands_in_the_middle() {
        assert_close(rank(None, 0, 0), 3.0);
    }

    #[test]
    fn without_ratings_the_rank_is_the_score() {
        assert_close(rank(Some(4.2), 0, 0), 4.2);
    }

    #[test]
    fn as_many_ratings_as_the_weight_pull_the_rank_half_way() {
        assert_close(rank(Some(2.0), 4, 20), 3.5);
    }

    #[test]
    fn many_ratings_outweigh_the_score() {
        assert!(rank(Some(1.0), 1000, 5000) > 4.98);
    }

    #[test]
    fn one_top_rating_does_not_beat_many_good_ones() {
        assert!(rank(Some(3.0), 1, 5) < rank(Some(3.0), 50, 225));
    }

    #[test]
    fn a_mean_needs_a_rating() {
        assert_eq!(mean(0, 0), None);
        assert_close(mean(2, 9).unwrap(), 4.5);
    }

    #[test]
    fn people_read_two_decimals() {
        assert_close(rounded(3.666_666), 3.67);
    }
}
