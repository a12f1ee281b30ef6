//! Models on their way: an installation takes hours, and its end is worth a word on the desktop.

use std::collections::HashMap;

use protocol::{InstallStage, ModelCard, ModelId, StudioEvent};

/// How an installation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// It can be used.
    Ready,
    /// It waits for the artist.
    Failed,
}

/// What each model on its way becomes.
#[derive(Default)]
pub(crate) struct Coming {
    under_way: HashMap<ModelId, String>,
    /// What has come or was given up: the next list of models says which.
    ended: HashMap<ModelId, String>,
}

impl Coming {
    /// What is on its way already.
    pub(crate) fn of(cards: &[ModelCard]) -> Self {
        let goes_on = |card: &ModelCard| {
            let install = card.install.as_ref().filter(|it| !matches!(it.stage, InstallStage::Failed { .. }))?;
            Some((card.id.clone(), install.quantization.clone()))
        };
        Self { under_way: cards.iter().filter_map(goes_on).collect(), ended: HashMap::new() }
    }

    /// Follows what is told; gives the end of an installation when it comes.
    pub(crate) fn follow(&mut self, event: &StudioEvent) -> Option<Ending> {
        match event {
            StudioEvent::Install { model, install: None } => {
                let quantization = self.under_way.remove(model)?;
                self.ended.insert(model.clone(), quantization);
                None
            }
            StudioEvent::Install { model, install: Some(install) } => {
                self.ended.remove(model);
                if matches!(install.stage, InstallStage::Failed { .. }) {
                    // It is told once; going on makes it news again.
                    return self.under_way.remove(model).map(|_| Ending::Failed);
                }
                self.under_way.insert(model.clone(), install.quantization.clone());
                None
            }
            StudioEvent::Models { models } => {
                let n_ended = self.ended.len();
                self.ended.retain(|id, quantization| {
                    let card = models.iter().find(|card| card.id == *id);
                    !card.is_some_and(|card| {
                        card.forms.iter().any(|form| form.quantization == *quantization && form.is_installed)
                    })
                });
                (self.ended.len() < n_ended).then_some(Ending::Ready)
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use protocol::{
        ErrorCode, Failure, FilesState, Install, LocalText, ModelDefaults, ModelForm, ModelOrigin, Processor, Verdict,
    };

    use super::*;

    fn id() -> ModelId {
        ModelId("full".to_owned())
    }

    fn install(stage: InstallStage) -> StudioEvent {
        let install = Install {
            quantization: "q4_k_m".to_owned(),
            removes_source: false,
            stage,
            bytes: 1,
            total_bytes: 2,
            bytes_per_sec: None,
        };
        StudioEvent::Install { model: id(), install: Some(install) }
    }

    fn models(is_installed: bool) -> StudioEvent {
        let text = || LocalText { en: String::new(), zh: String::new() };
        let form = ModelForm {
            quantization: "q4_k_m".to_owned(),
            disk_bytes: 1,
            memory_bytes: 1,
            verdict: Verdict::Fits { on: Processor::Cpu },
            is_installed,
            is_recommended: true,
        };
        let card = ModelCard {
            id: id(),
            name: text(),
            summary: text(),
            origin: ModelOrigin::Catalog,
            license: None,
            repository: None,
            download_bytes: 1,
            max_side: 1024,
            defaults: ModelDefaults::default(),
            forms: vec![form],
            files: FilesState::Absent,
            install: None,
        };
        StudioEvent::Models { models: vec![card] }
    }

    fn told(events: &[StudioEvent]) -> Vec<Ending> {
        let mut coming = Coming::default();
        events.iter().filter_map(|event| coming.follow(event)).collect()
    }

    fn gone() -> StudioEvent {
        StudioEvent::Install { model: id(), install: None }
    }

    #[test]
    fn a_model_that_has_come_is_told_once() {
        let come = [install(InstallStage::Converting), gone(), models(false), models(true), models(true)];
        assert_eq!(told(&come), [Ending::Ready]);
    }

    #[test]
    fn one_that_is_given_up_or_was_there_before_is_no_news() {
        assert_eq!(told(&[install(InstallStage::Downloading), gone(), models(false)]), []);
        assert_eq!(told(&[models(true), gone(), models(true)]), []);
    }

    #[test]
    fn one_that_fails_is_told_each_time_that_it_was_tried() {
        let failed =
            || install(InstallStage::Failed { failure: Failure { code: ErrorCode::Network, message: String::new() } });
        let tried = || install(InstallStage::Downloading);
        assert_eq!(told(&[tried(), failed(), failed(), tried(), failed()]), [Ending::Failed, Ending::Failed]);
    }
}
