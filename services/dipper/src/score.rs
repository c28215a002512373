//! `dipper score`: what ScoreModel thinks of picture files, and why.

use std::path::Path;
use std::process::ExitCode;

use score_model::quality::{self, MODEL};
use serde_json::{Value, json};

use crate::arguments::Score;
use crate::{complain, say};

/// Prints the score of each file.
pub(crate) fn run(command: &Score) -> ExitCode {
    let mut code = ExitCode::SUCCESS;
    for file in &command.files {
        match judge(file) {
            Ok(score) if command.json => say(&in_json(file, &score).to_string()),
            Ok(score) => say(&in_words(file, &score)),
            Err(error) => {
                complain(&format!("{}: {error:#}", file.display()));
                code = ExitCode::FAILURE;
            }
        }
    }
    code
}

fn judge(file: &Path) -> anyhow::Result<quality::Score> {
    Ok(quality::score(&std::fs::read(file)?)?)
}

fn in_words(file: &Path, score: &quality::Score) -> String {
    let reasons = score.reasons.join("; ");
    format!(
        "{:.2}  {}  ({MODEL}): {reasons}",
        score.value,
        file.display()
    )
}

fn in_json(file: &Path, score: &quality::Score) -> Value {
    let quality::Parts {
        sharpness,
        acuity,
        cleanness,
        smoothness,
        exposure,
        contrast,
        colour,
        resolution,
    } = score.parts;
    json!({
        "file": file.display().to_string(),
        "score": score.value,
        "model": MODEL,
        "reasons": score.reasons,
        "parts": {
            "sharpness": sharpness, "acuity": acuity, "cleanness": cleanness, "smoothness": smoothness,
            "exposure": exposure, "contrast": contrast, "colour": colour, "resolution": resolution,
        },
    })
}
