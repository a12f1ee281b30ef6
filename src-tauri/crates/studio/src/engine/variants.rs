//! Which of the engine's variants to run: each is asked what it can compute on.

use std::path::{Path, PathBuf};
use std::time::Duration;

use protocol::DeviceDescription;

use super::child;
use crate::{Error, Result};

/// How long a program may take to say what it sees; a driver's first start is slow.
const ANSWER: Duration = Duration::from_secs(20);

/// The variant to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Variant {
    pub(crate) program: PathBuf,
    /// What all variants together can compute on; empty when none was asked.
    pub(crate) devices: Vec<DeviceDescription>,
}

/// Asks every program and chooses; a single one is not asked.
pub(crate) async fn choose(programs: Vec<PathBuf>, device: Option<String>) -> Variant {
    if let [program] = programs.as_slice() {
        return Variant { program: program.clone(), devices: Vec::new() };
    }
    // One that does not answer now may answer when it is started; then at least it says why not.
    let last_resort = programs.last().cloned().unwrap_or_default();
    let mut answers = Vec::new();
    for program in programs {
        match tokio::time::timeout(ANSWER, devices(&program)).await {
            Ok(Ok(devices)) => answers.push((program, devices)),
            Ok(Err(error)) => tracing::info!(%error, "a variant of the engine is left out"),
            Err(_elapsed) => tracing::info!("a variant of the engine does not answer and is left out"),
        }
    }
    let program = pick(&answers, device.as_deref()).unwrap_or(last_resort);
    let mut devices: Vec<DeviceDescription> = Vec::new();
    for device in answers.into_iter().flat_map(|(_, devices)| devices) {
        if devices.iter().all(|known| known.id != device.id) {
            devices.push(device);
        }
    }
    devices.sort_by_key(|device| device.id == "cpu");
    Variant { program, devices }
}

async fn devices(program: &Path) -> Result<Vec<DeviceDescription>> {
    let mut devices = Vec::new();
    let arguments = ["devices", "--json"].map(Into::into).to_vec();
    child::run(program, arguments, |line| {
        devices.extend(serde_json::from_value::<DeviceDescription>(line).ok());
        std::ops::ControlFlow::Continue(())
    })
    .await?;
    if devices.is_empty() { Err(Error::Engine(format!("{} sees no device", program.display()))) } else { Ok(devices) }
}

/// The variant that has the device that is wished for, else one that has more than the processor, else the last.
fn pick(answers: &[(PathBuf, Vec<DeviceDescription>)], wished: Option<&str>) -> Option<PathBuf> {
    let has =
        |wanted: &dyn Fn(&str) -> bool| answers.iter().find(|(_, devices)| devices.iter().any(|it| wanted(&it.id)));
    let chosen = match wished {
        // Every variant has the processor; the plain one needs the least of the machine.
        Some("cpu") => None,
        Some(wished) => has(&|id| id == wished).or_else(|| has(&|id| id != "cpu")),
        None => has(&|id| id != "cpu"),
    };
    chosen.or(answers.last()).map(|(program, _)| program.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(program: &str, ids: &[&str]) -> (PathBuf, Vec<DeviceDescription>) {
        let device = |id: &&str| DeviceDescription {
            id: (*id).to_owned(),
            name: String::new(),
            memory_bytes: None,
            free_bytes: None,
            compute_capability: None,
        };
        (program.into(), ids.iter().map(device).collect())
    }

    #[test]
    fn a_graphics_card_is_used_where_there_is_one() {
        let check = |answers: &[(PathBuf, Vec<DeviceDescription>)], wished: Option<&str>, expected: &str| {
            assert_eq!(pick(answers, wished), Some(expected.into()), "{wished:?}");
        };
        let both = [answer("bagel-cuda", &["cpu", "cuda:0"]), answer("bagel", &["cpu"])];
        check(&both, None, "bagel-cuda");
        check(&both, Some("cuda:0"), "bagel-cuda");
        check(&both, Some("cpu"), "bagel");
        check(&both, Some("cuda:7"), "bagel-cuda");
        check(&[answer("bagel-cuda", &["cpu"]), answer("bagel", &["cpu"])], None, "bagel");
    }
}
