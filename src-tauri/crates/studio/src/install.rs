//! A model on its way to this machine: fetched, checked, converted, taken up.

use std::ffi::OsString;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use catalog::{Catalog, DownloadOptions, DownloadStage, InstallPlan, Token};
use protocol::{Event, Hardware, Install, InstallStage, ModelId, ModelOrigin};
use tokio::sync::Semaphore;

use crate::engine::child;
use crate::studio::{blocking, host_of};
use crate::{Error, Result};

/// What is to be installed, and with what.
#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) model: ModelId,
    pub(crate) quantization: String,
    /// The engine program, which converts.
    pub(crate) program: PathBuf,
    pub(crate) mirror: Option<String>,
    pub(crate) turn: Arc<Semaphore>,
}

/// The form in which models are published.
const PUBLISHED: &str = "bf16";

/// Installs a model, going on from whatever is here; dropping the future holds it.
pub(crate) async fn run(catalog: &Arc<Catalog>, order: Order, tell: &(dyn Fn(Install) + Send + Sync)) -> Result<()> {
    let Order { model, quantization, program, mirror, turn } = order;
    let progress = |stage, bytes, total_bytes, bytes_per_sec| Install {
        quantization: quantization.clone(),
        stage,
        bytes,
        total_bytes,
        bytes_per_sec,
    };

    let plan = InstallPlan { quantization: quantization.clone(), removes_source: false };
    let (begun, id) = (Arc::clone(catalog), model.clone());
    let origin = blocking(move || {
        begun.begin_install(&id, plan)?;
        Ok(begun.card(&id, &Hardware::default())?.origin)
    })
    .await?;

    if origin == ModelOrigin::Catalogue {
        let token = read_token(host_of(mirror.as_deref())).await;
        let options = DownloadOptions { mirror, token, ..DownloadOptions::default() };
        catalog
            .download(&model, &options, |now| {
                let stage = match now.stage {
                    DownloadStage::Downloading | DownloadStage::Waiting => InstallStage::Downloading,
                    DownloadStage::Checking => InstallStage::Checking,
                };
                tell(progress(stage, now.bytes, now.total_bytes, now.bytes_per_sec));
                ControlFlow::Continue(())
            })
            .await?;
    }

    if quantization != PUBLISHED {
        let _turn = turn.acquire().await.map_err(|_closed| Error::Closed)?;
        convert(catalog, &model, &quantization, &program, |bytes, total, rate| {
            tell(progress(InstallStage::Converting, bytes, total, rate));
        })
        .await?;
    }
    let (done, id) = (Arc::clone(catalog), model.clone());
    blocking(move || Ok(done.finish_install(&id)?)).await.map(drop)
}

/// Has the engine program write the form, and takes it up.
async fn convert(
    catalog: &Arc<Catalog>,
    model: &ModelId,
    quantization: &str,
    program: &std::path::Path,
    tell: impl Fn(u64, u64, Option<f64>) + Send + Sync,
) -> Result<()> {
    let (asked, id, form) = (Arc::clone(catalog), model.clone(), quantization.to_owned());
    let conversion = blocking(move || Ok(asked.conversion(&id, &form)?)).await?;
    tell(0, conversion.source_bytes, None);
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
            tell(bytes, total_bytes, (secs > 1.0).then(|| bytes as f64 / secs));
        }
        ControlFlow::Continue(())
    })
    .await?;
    let (taken, id, form) = (Arc::clone(catalog), model.clone(), quantization.to_owned());
    blocking(move || Ok(taken.register(&id, &form)?)).await
}

/// The token for a host; a keyring that cannot be asked is as good as an empty one.
async fn read_token(host: String) -> Option<Token> {
    blocking(move || Ok(Token::read(&host)?)).await.unwrap_or_else(|error| {
        tracing::debug!(%error, "no token is used");
        None
    })
}
