//! A checkpoint of random weights on disk.

use std::ops::ControlFlow;
use std::path::PathBuf;

use bagel::EngineProgress;
use bagel_dev::SyntheticSize;
use clap::Args;
use protocol::{Event, JobId};

use crate::arguments::ReportOptions;
use crate::commands::bench::SyntheticName;
use crate::display::{Display, Streaming, print_json, print_line};
use crate::host::{Listener, plain};
use crate::{Error, Result};

/// Options of `bagel synthesize`.
#[derive(Debug, Args)]
pub(crate) struct SynthesizeArgs {
    /// How large
    #[arg(value_name = "SIZE")]
    size: SyntheticName,
    /// The folder to make; 29 GB for `official`
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    #[command(flatten)]
    pub(crate) report: ReportOptions,
}

/// Carries out the command.
pub(crate) fn run(options: &SynthesizeArgs) -> Result<()> {
    let folder = options.folder.as_path();
    if folder.exists() {
        return Err(Error::Usage(format!("{}: is there already; name a new folder", folder.display())));
    }
    let config = SyntheticSize::from(options.size).config();
    let mut display = Display::new(options.report.json, Streaming::Answers);
    let made = bagel_dev::synthesize(&config, None, folder, &mut |progress| {
        display.keep_going()?;
        if let EngineProgress::Loading { bytes, total_bytes } = progress {
            display.hear(plain(Event::Loading { id: JobId::new(), bytes, total_bytes }));
        }
        ControlFlow::Continue(())
    });
    display.finish();
    if let Err(error) = made {
        // Half a checkpoint opens for nobody; the folder was made by this command.
        drop(std::fs::remove_dir_all(folder));
        return Err(error.into());
    }
    if options.report.json {
        return print_json(&serde_json::json!({ "kind": "synthesized", "path": folder }));
    }
    print_line(&format!("made {} of random weights; its images are noise", folder.display()))
}
