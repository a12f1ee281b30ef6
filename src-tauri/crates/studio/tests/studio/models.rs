//! Models on their way to this machine.

use std::time::Duration;

use protocol::{Install, InstallStage, ModelCard, ModelId, SettingsChange, StudioEvent};

use crate::support::{Bench, bench, bench_with};

async fn install(bench: &mut Bench, wanted: impl Fn(&Option<Install>) -> bool) -> Option<Install> {
    bench
        .wait(|event| match event {
            StudioEvent::Install { install, .. } if wanted(&install) => Some(install),
            _ => None,
        })
        .await
}

/// What a question about the models is answered, once it is; cards are made away from the task that answers.
async fn models<T>(bench: &Bench, wanted: impl Fn(Vec<ModelCard>) -> Option<T>) -> T {
    let search = async {
        loop {
            if let Some(found) = wanted(bench.snapshot().await.models) {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), search).await.expect("the models were so within a minute")
}

async fn card(bench: &Bench, id: &ModelId) -> ModelCard {
    models(bench, |cards| cards.into_iter().find(|card| card.id == *id)).await
}

#[tokio::test]
async fn an_installation_is_held_forgotten_and_tried_again() {
    let mut bench = bench().await;
    // Nobody listens there: nothing leaves this machine.
    let nowhere = "https://127.0.0.1:9".to_owned();
    bench.studio.change_settings(SettingsChange::Mirror(Some(nowhere))).await.unwrap();
    let id = ModelId("bagel-7b-mot".to_owned());
    assert_eq!(card(&bench, &id).await.install, None);
    bench.studio.install_model(id.clone(), "q4_k_m".to_owned(), None).await.unwrap();
    install(&mut bench, |it| it.as_ref().is_some_and(|it| it.stage == InstallStage::Downloading)).await;
    assert!(bench.studio.install_model(id.clone(), "q4_k_m".to_owned(), None).await.is_err(), "it is under way");
    bench.studio.pause_install(id.clone());
    let held = install(&mut bench, |it| it.as_ref().is_some_and(|it| it.stage == InstallStage::Paused)).await;
    assert_eq!(held.unwrap().quantization, "q4_k_m");
    bench.studio.install_model(id.clone(), "q8_0".to_owned(), None).await.unwrap();
    bench.studio.cancel_install(id.clone());
    assert_eq!(install(&mut bench, Option::is_none).await, None);
    let bench = bench.reopen().await;
    assert_eq!(card(&bench, &id).await.install, None, "what was called off is not found again");
}

#[tokio::test]
async fn a_model_of_the_artists_own_is_taken_up_and_forgotten_as_a_whole() {
    let bench = bench().await;
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../assets/pocket/pocket-q8_0.gguf");
    let id = bench.studio.import_model(path.clone()).await.unwrap();
    assert_eq!(card(&bench, &id).await.origin, protocol::ModelOrigin::Imported);
    bench.studio.remove_model(id.clone(), None).await.unwrap();
    models(&bench, |cards| cards.iter().all(|card| card.id != id).then_some(())).await;
    assert!(path.is_file(), "its file stays where the artist has it");
}

#[tokio::test]
async fn what_does_not_exist_cannot_be_installed_or_used() {
    let bench = bench().await;
    for (id, quantization) in [("nothing", "q4_k_m"), ("../x", "q4_k_m"), ("bagel-7b-mot", "q0")] {
        let id = ModelId(id.to_owned());
        assert!(bench.studio.install_model(id.clone(), quantization.to_owned(), None).await.is_err(), "{id}");
        let choice = protocol::ModelChoice { model: id, quantization: quantization.to_owned() };
        assert!(bench.studio.use_model(choice).await.is_err());
    }
    assert!(bench.snapshot().await.models.iter().all(|card| card.install.is_none()));
}

#[tokio::test]
async fn a_list_of_models_that_cannot_be_understood_is_named_and_left_out() {
    let bench = bench_with(|options| {
        std::fs::create_dir_all(&options.data_folder).unwrap();
        std::fs::write(options.data_folder.join("models.toml"), "[[").unwrap();
    })
    .await;
    assert!(bench.start.notices[0].message.contains("models.toml"), "{:?}", bench.start.notices);
    card(&bench, &ModelId("bagel-7b-mot".to_owned())).await;
}
