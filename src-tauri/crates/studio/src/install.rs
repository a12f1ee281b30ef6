//! Installing a model: download, check, convert, register.

use std::ffi::OsString;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use catalog::{Catalog, DownloadOptions, DownloadStage, InstallPlan, Token, host_of};
use protocol::{Event, Hardware, Install, InstallStage, ModelId, ModelOrigin};
use tokio::sync::Semaphore;

use crate::engine::child;
use crate::{Error, Result, blocking};

/// A model to install, and how.
#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) model: ModelId,
    pub(crate) plan: InstallPlan,
    /// The engine program, which converts.
    pub(crate) program: PathBuf,
    pub(crate) mirror: Option<String>,
    pub(crate) turn: Arc<Semaphore>,
}

/// The form in which models are published.
const PUBLISHED: &str = "bf16";

/// Records which form of a model is to be installed, so that a new start of the program can resume. Whether the
/// published files are removed afterwards is as recorded before, unless given.
pub(crate) fn record_plan(
    catalog: &Catalog,
    model: &ModelId,
    quantization: String,
    removes_source: Option<bool>,
) -> Result<InstallPlan> {
    let before = catalog.pending_install(model).filter(|plan| plan.quantization == quantization);
    let removes_source = removes_source.unwrap_or_else(|| before.is_some_and(|plan| plan.removes_source));
    let plan = InstallPlan { quantization, removes_source };
    catalog.begin_install(model, plan.clone())?;
    Ok(plan)
}

/// Installs a recorded model and resumes from the files that are there; dropping the future pauses it.
pub(crate) async fn run(catalog: &Arc<Catalog>, order: Order, report: &(dyn Fn(Install) + Send + Sync)) -> Result<()> {
    let Order { model, plan, program, mirror, turn } = order;
    let InstallPlan { quantization, removes_source } = plan;
    let progress = |stage, bytes, total_bytes, bytes_per_sec| Install {
        quantization: quantization.clone(),
        removes_source,
        stage,
        bytes,
        total_bytes,
        bytes_per_sec,
    };

    let (asked, id, form) = (Arc::clone(catalog), model.clone(), quantization.clone());
    let (origin, is_here) = blocking(move || {
        let origin = asked.card(&id, &Hardware::default())?.origin;
        Ok((origin, asked.has_form(&id, &form)?))
    })
    .await?;

    if origin == ModelOrigin::Catalog && !is_here {
        let token = read_token(host_of(mirror.as_deref())?).await;
        let options = DownloadOptions { mirror, token, ..DownloadOptions::default() };
        catalog
            .download(&model, &options, |now| {
                let stage = match now.stage {
                    DownloadStage::Downloading | DownloadStage::Waiting => InstallStage::Downloading,
                    DownloadStage::Checking => InstallStage::Checking,
                };
                report(progress(stage, now.bytes, now.total_bytes, now.bytes_per_sec));
                ControlFlow::Continue(())
            })
            .await?;
    }

    if quantization != PUBLISHED && !is_here {
        let _turn = turn.acquire().await.map_err(|_closed| Error::Closed)?;
        convert(catalog, &model, &quantization, &program, |bytes, total, rate| {
            report(progress(InstallStage::Converting, bytes, total, rate));
        })
        .await?;
    }
    let (done, id) = (Arc::clone(catalog), model.clone());
    blocking(move || Ok(done.finish_install(&id)?)).await.map(drop)
}

/// Has the engine program write the form, and registers it.
async fn convert(
    catalog: &Arc<Catalog>,
    model: &ModelId,
    quantization: &str,
    program: &std::path::Path,
    report: impl Fn(u64, u64, Option<f64>) + Send + Sync,
) -> Result<()> {
    let (asked, id, form) = (Arc::clone(catalog), model.clone(), quantization.to_owned());
    let conversion = blocking(move || Ok(asked.conversion(&id, &form)?)).await?;
    report(0, conversion.source_bytes, None);
    let mut arguments: Vec<OsString> =
        ["convert", "--json", "--force", "--quant", quantization].map(Into::into).to_vec();
    if let Some(base) = conversion.base {
        arguments.extend(["--base".into(), base.into()]);
    }
    arguments.extend([conversion.source.into(), conversion.target.into()]);
    let begun = Instant::now();
    child::run(program, arguments, |line| {
        if let Ok(Event::Loading { bytes, total_bytes, .. }) = serde_json::from_value(line) {
            let secs = begun.elapsed().as_secs_f64();
            report(bytes, total_bytes, (secs > 1.0).then(|| bytes as f64 / secs));
        }
        ControlFlow::Continue(())
    })
    .await?;
    let (taken, id, form) = (Arc::clone(catalog), model.clone(), quantization.to_owned());
    blocking(move || Ok(taken.register(&id, &form)?)).await
}

/// The token for a host; an unusable keyring counts as an empty one.
async fn read_token(host: String) -> Option<Token> {
    blocking(move || Ok(Token::read(&host)?)).await.unwrap_or_else(|error| {
        tracing::debug!(%error, "no token is used");
        None
    })
}
