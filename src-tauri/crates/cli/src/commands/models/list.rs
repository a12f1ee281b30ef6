//! Lists all models, as text or JSON.

use catalog::{Catalog, hardware};
use protocol::{FilesState, ModelCard, ModelForm, ModelOrigin, Processor, Verdict};

use super::amount;
use crate::display::{harmless, print_json, print_line};
use crate::{Result, host};

/// Runs the command.
pub(super) fn run(catalog: &Catalog, json: bool) -> Result<()> {
    let hardware = hardware(catalog.folder(), host::devices());
    for card in catalog.cards(&hardware) {
        if json {
            print_json(&card)?;
            continue;
        }
        print_line(&format!("{:<16} {}: {}", card.id.0, harmless(&card.name.en), harmless(&state(&card))))?;
        for form in &card.forms {
            print_line(line(form).trim_end())?;
        }
    }
    Ok(())
}

fn state(card: &ModelCard) -> String {
    match (&card.files, card.origin) {
        (FilesState::Absent, ModelOrigin::Bundled) => "not in this build".to_owned(),
        (_, ModelOrigin::Bundled) => "ships with the studio".to_owned(),
        (FilesState::Absent, _) if card.forms.iter().any(|form| form.is_installed) => "converted".to_owned(),
        (FilesState::Absent, _) => format!("{} to download", amount(card.download_bytes)),
        (FilesState::Partial { bytes }, _) => {
            format!("{} of {} here; download it again to go on", amount(*bytes), amount(card.download_bytes))
        }
        (FilesState::Complete { bytes: 0 }, _) => "here, where you keep it".to_owned(),
        (FilesState::Complete { bytes }, _) => format!("here, {}", amount(*bytes)),
        (FilesState::Damaged { failure }, _) => failure.message.clone(),
    }
}

fn line(form: &ModelForm) -> String {
    let place = |on: Processor| if on == Processor::Gpu { "the graphics card" } else { "the processor" };
    let verdict = match form.verdict {
        Verdict::Fits { on } => format!("fits {}", place(on)),
        Verdict::FitsTightly { on, spare_bytes } => format!("just fits {}, {} spare", place(on), amount(spare_bytes)),
        Verdict::DoesNotFit { on, missing_bytes } => {
            format!("does not fit {}, {} lacking", place(on), amount(missing_bytes))
        }
    };
    let marks = [(form.is_installed, "here"), (form.is_recommended, "recommended")];
    let marks: Vec<&str> = marks.iter().filter(|(is_set, _)| *is_set).map(|(_, mark)| *mark).collect();
    format!(
        "  {:<8} {:>9} on disk {:>9} in memory  {verdict}  {}",
        form.quantization,
        amount(form.disk_bytes),
        amount(form.memory_bytes),
        marks.join(", ")
    )
}
