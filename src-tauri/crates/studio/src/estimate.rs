//! Estimates while no model is loaded that could give them.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use catalog::{Estimate, Estimator};
use protocol::{DeviceDescription, Request, Size};

use crate::Result;
use crate::engine::supervisor::Target;

/// Estimates from a model's headers, which are read once.
#[derive(Debug, Default)]
pub(crate) struct CachedEstimator {
    last: Mutex<Option<(Key, Arc<Estimator>)>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Key {
    path: PathBuf,
    base: Option<PathBuf>,
    is_cpu: bool,
}

impl CachedEstimator {
    /// Estimates what a request needs on a device; blocks. `images` are the sizes of its images.
    pub(crate) fn estimate(
        &self,
        target: &Target,
        device: &str,
        request: &Request,
        images: &[Size],
    ) -> Result<Estimate> {
        let key = Key { path: target.path.clone(), base: target.base.clone(), is_cpu: device.starts_with("cpu") };
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let estimator = match last.as_ref() {
            Some((known, estimator)) if *known == key => Arc::clone(estimator),
            _ => {
                let estimator = Arc::new(catalog::open_estimator(&key.path, key.base.as_deref(), key.is_cpu)?);
                *last = Some((key, Arc::clone(&estimator)));
                estimator
            }
        };
        drop(last);
        Ok(estimator.estimate(request, images))
    }
}

/// The device that a model will be loaded on: the chosen one if the machine has it, else the best.
pub(crate) fn choose_device(chosen: Option<&str>, devices: &[DeviceDescription]) -> String {
    let is_there = |chosen: &&str| devices.iter().any(|device| device.id == *chosen);
    let best = || devices.iter().find(|device| device.id != "cpu").map(|device| device.id.as_str());
    chosen.filter(is_there).or_else(best).unwrap_or("cpu").to_owned()
}
