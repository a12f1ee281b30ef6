//! One thing that goes wrong at a time.

use std::fs;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use catalog::{Error, Token};
use protocol::{ErrorCode, FilesState, Hardware};

use crate::support::drive::{Outcome, fetch, finish};
use crate::support::fault::Fault;
use crate::support::scene::{COMMIT, Facts, Scene, WEIGHTS, hurried, id, published, sha256};
use crate::support::server::Server;

const N_BYTES: usize = 1 << 20;

/// Requests that the small files take before the weights are asked for: config, llm_config.
const BEFORE_WEIGHTS: usize = 2;

async fn set(facts: Facts) -> (Scene, Server) {
    let files = published(N_BYTES, 1);
    let server = Server::start(files.clone()).await;
    (Scene::new(files, facts), server)
}

/// Lets the weights' requests go wrong in this way, and goes on until all is well.
async fn check(faults: impl IntoIterator<Item = Fault>) -> (Outcome, Server) {
    let (scene, server) = set(Facts::All).await;
    server.schedule(std::iter::repeat_n(Fault::Behaves, BEFORE_WEIGHTS));
    server.schedule(faults);
    let outcome = finish(&scene, &scene.catalog(), &hurried(&server.origin, 1)).await;
    assert!(outcome.is_finished && outcome.wrong_files.is_empty(), "{outcome:?}");
    assert_eq!(server.n_faults_left(), 0, "not all of the faults were met");
    (outcome, server)
}

fn asked_for_weights(server: &Server) -> Vec<Option<u64>> {
    let of_weights = |it: &crate::support::server::Seen| !it.is_origin && it.path.contains(WEIGHTS);
    server.seen().into_iter().filter(of_weights).map(|it| it.range).collect()
}

#[tokio::test]
async fn a_download_brings_every_file_and_the_model_can_be_found() {
    let (scene, server) = set(Facts::All).await;
    let catalog = scene.catalog();
    let before = catalog.card(&id("small"), &Hardware::default()).unwrap();
    assert_eq!(before.files, FilesState::Absent);
    let mut stages = Vec::new();
    let options = hurried(&server.origin, 1);
    let mut last = None;
    catalog
        .download(&id("small"), &options, |progress| {
            stages.push(progress.stage);
            last = Some(progress);
            ControlFlow::Continue(())
        })
        .await
        .unwrap();
    assert!(scene.is_whole());
    let last = last.unwrap();
    assert_eq!((last.bytes, last.fetched_bytes), (last.total_bytes, last.total_bytes));
    let after = catalog.card(&id("small"), &Hardware::default()).unwrap();
    assert_eq!(after.files, FilesState::Complete { bytes: last.total_bytes });
    let choice = protocol::ModelChoice { model: id("small"), quantization: "bf16".to_owned() };
    assert_eq!(catalog.locate(&choice).unwrap().path, scene.source());
    // Nothing is asked for a second time, and not even looked at.
    let n_requests = server.seen().len();
    fetch(&catalog, &options).await.unwrap();
    assert_eq!(server.seen().len(), n_requests);
}

#[tokio::test]
async fn what_nobody_knew_is_taken_from_the_publisher_and_kept() {
    let (scene, server) = set(Facts::None).await;
    let outcome = finish(&scene, &scene.catalog(), &hurried(&server.origin, 1)).await;
    assert!(outcome.is_finished, "{outcome:?}");
    let record = fs::read_to_string(scene.models().join("small/model.json")).unwrap();
    assert!(record.contains(COMMIT) && record.contains(&sha256(&scene.files[WEIGHTS])), "{record}");
    let paths: Vec<String> = server.seen().into_iter().filter(|it| it.is_origin).map(|it| it.path).collect();
    assert!(paths[0].contains("/resolve/main/"), "{paths:?}");
    assert!(paths[1..].iter().all(|path| path.contains(&format!("/resolve/{COMMIT}/"))), "{paths:?}");
}

#[tokio::test]
async fn a_host_that_tells_no_hashes_is_held_to_what_came_first() {
    let files = published(N_BYTES, 1);
    let server = Server::start_silent(files.clone()).await;
    let scene = Scene::new(files, Facts::None);
    let catalog = scene.catalog();
    server.schedule([Fault::Behaves, Fault::Behaves, Fault::Reset { after: 500_000 }]);
    assert!(finish(&scene, &catalog, &hurried(&server.origin, 1)).await.is_finished);
    catalog.remove(&id("small"), &catalog::RemovalTarget::Source).unwrap();
    // The same name with other bytes: not what was there the first time.
    server.schedule(std::iter::repeat_n(Fault::Altered { at: 5 }, 5));
    let error = fetch(&catalog, &hurried(&server.origin, 1)).await;
    assert!(matches!(error, Err(Error::Hash { .. })), "{error:?}");
}

#[tokio::test]
async fn a_cut_line_is_gone_on_with_where_it_was_cut() {
    let (outcome, server) = check([Fault::Reset { after: 700_000 }, Fault::Reset { after: 100_000 }]).await;
    let asked = asked_for_weights(&server);
    assert_eq!(asked.len(), 3, "{asked:?}");
    assert!(asked[0].is_none() && asked[1].is_some_and(|start| start > 0), "{asked:?}");
    assert!(asked[2] > asked[1], "{asked:?}");
    let ours = server.seen().into_iter().find(|it| it.range.is_some() && !it.is_origin).unwrap();
    assert!(ours.if_range.is_some() && ours.accept_encoding.as_deref() == Some("identity"), "{ours:?}");
    assert_eq!(outcome.n_calls, 1);
}

#[tokio::test]
async fn a_line_that_brings_nothing_is_given_up() {
    let (outcome, _server) = check([Fault::Stall { after: 300_000 }, Fault::Silent, Fault::Empty]).await;
    assert_eq!(outcome.n_calls, 1);
}

#[tokio::test]
async fn an_early_end_is_no_end() {
    check([Fault::Short { after: 400_000 }, Fault::Nothing, Fault::Short { after: 0 }]).await;
}

#[tokio::test]
async fn the_whole_instead_of_a_part_is_taken_only_when_nothing_else_comes() {
    let cut = Fault::Reset { after: 500_000 };
    let (_, server) = check([cut.clone(), Fault::Whole]).await;
    assert!(asked_for_weights(&server).last().unwrap().is_some(), "the part was asked for once more");
    check([cut, Fault::Whole, Fault::Whole, Fault::Whole]).await;
}

#[tokio::test]
async fn parts_from_elsewhere_are_not_taken() {
    let cut = Fault::Reset { after: 500_000 };
    check([cut.clone(), Fault::WrongRange { shift: 9 }, Fault::WrongTotal]).await;
    check([cut, Fault::NotSatisfiable]).await;
}

#[tokio::test]
async fn bytes_under_another_name_are_not_joined_to_what_is_here() {
    let cut = Fault::Reset { after: 500_000 };
    check([cut.clone(), Fault::ChangedEtag]).await;
    check([cut, Fault::Replaced]).await;
}

#[tokio::test]
async fn pages_compression_and_endless_ways_are_not_files() {
    check([Fault::Login, Fault::Gzip, Fault::RedirectLoop, Fault::Garbage]).await;
}

#[tokio::test]
async fn a_busy_server_and_an_expired_address_are_asked_again() {
    let busy = |status| Fault::Busy { status, retry_after: Some(1) };
    check([busy(429), busy(503), Fault::Expired, Fault::Busy { status: 500, retry_after: None }]).await;
}

#[tokio::test]
async fn bytes_after_the_end_are_left_where_they_are() {
    check([Fault::Extra { n: 10_000 }]).await;
}

#[tokio::test]
async fn altered_bytes_never_become_a_model() {
    let (outcome, _server) = check([Fault::Altered { at: 300_000 }]).await;
    assert_eq!(outcome.n_calls, 1, "one wrong copy is fetched again without asking");

    let (scene, server) = set(Facts::All).await;
    server.schedule(std::iter::repeat_n(Fault::Behaves, BEFORE_WEIGHTS));
    server.schedule([Fault::Altered { at: 300_000 }, Fault::Duplicated { at: 200_000 }]);
    let catalog = scene.catalog();
    let result = fetch(&catalog, &hurried(&server.origin, 1)).await;
    let error = result.unwrap_err();
    assert_eq!(error.code(), ErrorCode::HashMismatch);
    assert!(error.to_string().contains(WEIGHTS), "{error}");
    assert!(!scene.source().join(WEIGHTS).exists());
    assert!(!scene.source().join(format!("{WEIGHTS}.part")).exists());
}

#[tokio::test]
async fn a_server_that_only_fails_is_given_up_and_what_came_is_kept() {
    let (scene, server) = set(Facts::All).await;
    server.schedule(std::iter::repeat_n(Fault::Behaves, BEFORE_WEIGHTS));
    server.schedule([Fault::Short { after: 500_000 }]);
    server.schedule(std::iter::repeat_n(Fault::Busy { status: 503, retry_after: None }, 20));
    let catalog = scene.catalog();
    let options = hurried(&server.origin, 1);
    let error = fetch(&catalog, &options).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::Network);
    assert!(error.to_string().contains("status 503"), "{error}");
    let card = catalog.card(&id("small"), &Hardware::default()).unwrap();
    let FilesState::Partial { bytes } = card.files else { panic!("{:?}", card.files) };
    assert!(bytes > 450_000, "{bytes}");
}

#[tokio::test]
async fn a_file_that_is_not_there_is_named() {
    let mut files = published(N_BYTES, 1);
    let scene = Scene::new(files.clone(), Facts::None);
    files.remove(WEIGHTS);
    let server = Server::start(files).await;
    let error = fetch(&scene.catalog(), &hurried(&server.origin, 1)).await;
    let line = error.unwrap_err().to_string();
    assert!(line.contains("owner/small has no file model.safetensors"), "{line}");
}

#[tokio::test]
async fn a_stop_is_obeyed_within_half_a_second_and_costs_nothing() {
    let (scene, server) = set(Facts::All).await;
    server.limit_rate(400_000);
    let catalog = scene.catalog();
    let options = hurried(&server.origin, 1);
    let (mut asked, small) = (None, id("small"));
    let result = catalog.download(&small, &options, |progress| {
        if progress.bytes < 200_000 {
            return ControlFlow::Continue(());
        }
        asked.get_or_insert_with(Instant::now);
        ControlFlow::Break(())
    });
    assert!(matches!(result.await, Err(Error::Cancelled)));
    assert!(asked.unwrap().elapsed() < Duration::from_millis(500));
    server.limit_rate(0);
    let mut fetched_bytes = 0;
    let result = catalog.download(&small, &options, |progress| {
        fetched_bytes = progress.fetched_bytes;
        ControlFlow::Continue(())
    });
    result.await.unwrap();
    let total: u64 = scene.files.values().map(|bytes| bytes.len() as u64).sum();
    assert!(scene.is_whole() && fetched_bytes < total - 150_000, "{fetched_bytes} of {total}");
}

#[tokio::test]
async fn a_stop_is_obeyed_while_the_server_is_waited_for() {
    let (scene, server) = set(Facts::All).await;
    server.schedule([Fault::Silent]);
    let mut options = hurried(&server.origin, 1);
    options.timeouts.stall = Duration::from_secs(600);
    let begun = Instant::now();
    let catalog = scene.catalog();
    let small = id("small");
    let download = catalog.download(&small, &options, |_| {
        if begun.elapsed() > Duration::from_millis(300) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    assert!(matches!(download.await, Err(Error::Cancelled)));
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn the_token_goes_to_the_publisher_and_nowhere_else() {
    let (scene, server) = set(Facts::None).await;
    let mut options = hurried(&server.origin, 1);
    options.token = Token::new("canary-token");
    server.schedule([Fault::Behaves, Fault::Reset { after: 10 }, Fault::RedirectLoop]);
    assert!(finish(&scene, &scene.catalog(), &options).await.is_finished);
    let seen = server.seen();
    assert!(seen.iter().any(|it| it.is_origin) && seen.iter().any(|it| !it.is_origin));
    for request in &seen {
        let expected = if request.is_origin { Some("Bearer canary-token") } else { None };
        assert_eq!(request.authorization.as_deref(), expected, "{request:?}");
    }
    assert!(!format!("{options:?}").contains("canary"));
    // Neither the token nor the signed address is in anything that stays.
    let mut n_files = 0;
    for entry in fs::read_dir(scene.models().join("small")).unwrap().flatten().filter(|it| it.path().is_file()) {
        let bytes = fs::read(entry.path()).unwrap();
        assert!(!String::from_utf8_lossy(&bytes).contains("canary"), "{:?}", entry.path());
        n_files += 1;
    }
    assert!(n_files > 0);
}

#[tokio::test]
async fn errors_show_neither_token_nor_signed_addresses() {
    for fault in [Fault::Expired, Fault::Garbage, Fault::Reset { after: 0 }, Fault::Login, Fault::Stall { after: 0 }] {
        let (scene, server) = set(Facts::All).await;
        server.schedule(std::iter::repeat_n(fault.clone(), 50));
        let mut options = hurried(&server.origin, 1);
        options.token = Token::new("canary-token");
        let catalog = scene.catalog();
        let error = fetch(&catalog, &options).await.unwrap_err();
        let shown = format!("{error} {error:?} {:?}", error.failure());
        assert!(!shown.contains("canary"), "{fault:?}: {shown}");
        assert!(!error.to_string().contains('\n') && error.to_string().contains("127.0.0.1"), "{error}");
    }
}

#[tokio::test]
async fn a_disk_without_room_is_found_out_before_anything_is_asked() {
    let (scene, server) = set(Facts::All).await;
    let text = fs::read_to_string(scene.folder.join("models.toml")).unwrap();
    let n_bytes = scene.files[WEIGHTS].len();
    let text = text.replace(&format!("bytes = {n_bytes}"), "bytes = 1_000_000_000_000_000_000");
    fs::write(scene.folder.join("models.toml"), text).unwrap();
    let catalog = scene.catalog();
    let error = fetch(&catalog, &hurried(&server.origin, 1)).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::DiskFull, "{error}");
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn a_finished_file_that_changes_is_noticed_and_fetched_again() {
    let (scene, server) = set(Facts::All).await;
    let catalog = scene.catalog();
    let options = hurried(&server.origin, 1);
    assert!(finish(&scene, &catalog, &options).await.is_finished);
    let path = scene.source().join(WEIGHTS);
    let mut bytes = fs::read(&path).unwrap();
    bytes[300_000] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let card = catalog.card(&id("small"), &Hardware::default()).unwrap();
    assert!(matches!(card.files, FilesState::Damaged { .. }), "{:?}", card.files);
    let error = catalog.check(&id("small"), |_| ControlFlow::Continue(())).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::ModelInvalid, "{error}");
    assert!(finish(&scene, &catalog, &options).await.is_finished);
    catalog.check(&id("small"), |_| ControlFlow::Continue(())).await.unwrap();
    let card = catalog.card(&id("small"), &Hardware::default()).unwrap();
    assert!(matches!(card.files, FilesState::Complete { .. }), "{:?}", card.files);
}

#[tokio::test]
async fn a_temporary_file_that_is_a_link_is_not_written_through() {
    #[cfg(unix)]
    {
        let (scene, server) = set(Facts::All).await;
        let outside = scene.folder.join("outside");
        fs::write(&outside, "mine").unwrap();
        fs::create_dir_all(scene.source()).unwrap();
        std::os::unix::fs::symlink(&outside, scene.source().join(format!("{WEIGHTS}.part"))).unwrap();
        let catalog = scene.catalog();
        let error = fetch(&catalog, &hurried(&server.origin, 1)).await;
        assert!(matches!(error, Err(Error::Damaged { .. })));
        assert_eq!(fs::read_to_string(&outside).unwrap(), "mine");
    }
}

#[tokio::test]
async fn one_model_is_not_fetched_twice_at_once() {
    let (scene, server) = set(Facts::All).await;
    server.limit_rate(700_000);
    let (one, two) = (scene.catalog(), scene.catalog());
    let options = hurried(&server.origin, 1);
    let mut second = None;
    let first = fetch(&one, &options);
    let other = async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        second = Some(fetch(&two, &options).await);
    };
    let (first, ()) = tokio::join!(first, other);
    assert!(first.is_ok() && matches!(second, Some(Err(Error::Busy { .. }))), "{first:?} {second:?}");
}

#[tokio::test]
async fn a_length_that_cannot_be_meant_is_not_believed() {
    let files = published(N_BYTES, 1);
    let scene = Scene::new(files.clone(), Facts::None);
    let server = Server::start_silent(files).await;
    server.schedule(std::iter::repeat_n(Fault::Huge, 5));
    let error = fetch(&scene.catalog(), &hurried(&server.origin, 1)).await.unwrap_err();
    assert!(error.to_string().contains("larger than the catalog allows"), "{error}");
    assert!(scene.wrong_files().is_empty());
}

#[tokio::test]
async fn an_address_that_is_not_used_is_refused_before_anything_is_sent() {
    let (scene, server) = set(Facts::All).await;
    let mut options = hurried(&server.origin.replace("http://", "http://user:canary@"), 1);
    let error = fetch(&scene.catalog(), &options).await.unwrap_err();
    assert!(matches!(error, Error::Address { .. }) && !error.to_string().contains("canary"), "{error}");
    options.mirror = Some("http://example.org".to_owned());
    assert!(matches!(fetch(&scene.catalog(), &options).await, Err(Error::Address { .. })));
    assert!(server.seen().is_empty());
}
