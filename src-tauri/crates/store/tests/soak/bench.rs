//! How long operations take in a large library.

use std::path::Path;
use std::time::Instant;

use protocol::{GalleryFilter, NodeId, ProjectId};
use store::{NewTurn, Store};

use crate::Outcome;
use crate::images::{image, new_node, recipe};
use crate::random::Random;

const SUBJECTS: [&str; 12] = [
    "a red fox",
    "an old lighthouse",
    "a bowl of oranges",
    "一只猫",
    "两只白鹤",
    "a glass dragon",
    "山中的茶馆",
    "a tin robot",
    "three birches",
    "窗边的少女",
    "a whale",
    "an empty street",
];
const PLACES: [&str; 8] =
    ["in the snow", "at dawn", "在雨中", "by the sea", "在窗边", "under lamps", "in fog", "on a hill"];
const STYLES: [&str; 6] = ["watercolor", "水墨画", "oil on canvas", "a photograph", "pixel art", "pencil"];

const SEARCHES: [&str; 10] =
    ["fox", "猫", "窗边", "a", "w", "watercolor snow dra", "season winter", "variation 77", "在雨中 水墨", "nothing"];

pub(crate) fn run(n_nodes: usize) -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let store = Store::open(folder.path(), 1)?.store;
    fill(&store, n_nodes)?;
    time_pages(&store)?;
    time("counts", || Ok(store.counts()?))?;
    let first = store.gallery(&GalleryFilter::default(), None, 500)?.nodes;
    time("100 thumbnails made", || {
        Ok(first.iter().take(100).try_for_each(|node| store.thumbnail(node.id).map(drop))?)
    })?;
    time("backup", || Ok(store.back_up(2)?))?;
    time_starts(store, folder.path(), n_nodes)
}

/// Adds projects of five images each; every tenth image gets a tag and a conversation.
fn fill(store: &Store, n_nodes: usize) -> Outcome<()> {
    let mut random = Random::new(3);
    let started = Instant::now();
    let mut project = ProjectId::new();
    let mut parent = None;
    for number in 0..n_nodes {
        if number % 5 == 0 {
            project = ProjectId::new();
            parent = None;
        }
        let prompt = format!(
            "{} {}, {}, variation {number}",
            random.pick(&SUBJECTS).unwrap_or_default(),
            random.pick(&PLACES).unwrap_or_default(),
            random.pick(&STYLES).unwrap_or_default()
        );
        let image = image(number as u64, 64)?;
        let new = new_node(project, parent, &prompt);
        store.add_result(&new, &image, Some(&recipe(&prompt, number as u64, &image)), 1)?;
        parent = Some(new.id);
        if number % 10 == 0 {
            annotate(store, project, new.id, number)?;
        }
    }
    println!("bench: {n_nodes} images, {:.1} ms to save each", millis_since(started) / n_nodes as f64);
    Ok(())
}

fn annotate(store: &Store, project: ProjectId, node: NodeId, number: usize) -> Outcome<()> {
    store.set_tags(&[node], &[format!("tag {}", number % 70)])?;
    store.set_starred(&[node], number.is_multiple_of(20))?;
    let turn = NewTurn {
        prompt: "What season is it?".to_owned(),
        answer: format!("It looks like {number} days of winter."),
        images: vec![node],
        ..NewTurn::default()
    };
    store.add_turn(project, turn, 1)?;
    Ok(())
}

fn time_pages(store: &Store) -> Outcome<()> {
    let all = GalleryFilter::default();
    time_filter(store, "everything", &all)?;
    time_filter(store, "starred", &GalleryFilter { starred: true, ..all.clone() })?;
    time_filter(store, "a tag", &GalleryFilter { tags: vec!["tag 20".to_owned()], ..all.clone() })?;
    SEARCHES.iter().try_for_each(|text| {
        let filter = GalleryFilter { text: (*text).to_owned(), ..all.clone() };
        time_filter(store, &format!("search {text:?}"), &filter)
    })
}

/// Reads all pages that a filter finds.
fn time_filter(store: &Store, name: &str, filter: &GalleryFilter) -> Outcome<()> {
    let (mut wall, mut cpu, mut after) = (Vec::new(), Vec::new(), None);
    let total = loop {
        let (started, cpu_before) = (Instant::now(), thread_cpu_ms());
        let page = store.gallery(filter, after.as_ref(), 100)?;
        wall.push(millis_since(started));
        cpu.push(thread_cpu_ms() - cpu_before);
        after = page.next;
        if after.is_none() {
            break page.total;
        }
    };
    let summarize = |values: &mut Vec<f64>| {
        values.sort_by(f64::total_cmp);
        let at = |idx: usize| values.get(idx).copied().unwrap_or_default();
        (at(values.len() / 2), at(values.len() - 1))
    };
    let ((median, max), (cpu_median, cpu_max)) = (summarize(&mut wall), summarize(&mut cpu));
    println!(
        "bench: {name}: {total} found, a page of 100 in {median:.1} ms, at most {max:.1} ms; {cpu_median:.1} ms of \
         CPU time, at most {cpu_max:.1} ms"
    );
    Ok(())
}

fn time_starts(store: Store, folder: &Path, n_nodes: usize) -> Outcome<()> {
    let open = |now_ms| Ok(Store::open(folder, now_ms)?.store);
    drop(store);
    let store = time("start after a crash", || open(3))?;
    time("full check of the database", || Ok(store.run_maintenance(u64::MAX / 4)?))?;
    time("close, with a backup", || Ok(store.close(4)?))?;
    drop(store);
    let store = time("start after a close", || open(5))?;
    store.close(6)?;
    drop(store);

    std::fs::write(folder.join("library.db"), b"no database")?;
    drop(time("start with a damaged database, from the backup", || open(7))?);
    std::fs::remove_file(folder.join("library.db"))?;
    std::fs::remove_dir_all(folder.join("backups"))?;
    let store = time("start without database and backups, from the files", || open(8))?;
    let n_found = store.counts()?.n_nodes;
    if n_found != n_nodes as u64 {
        return Err(format!("{n_found} of {n_nodes} images were restored").into());
    }
    Ok(())
}

fn time<T>(name: &str, action: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
    let started = Instant::now();
    let value = action()?;
    println!("bench: {name}: {:.0} ms", millis_since(started));
    Ok(value)
}

fn millis_since(started: Instant) -> f64 {
    started.elapsed().as_secs_f64() * 1e3
}

/// CPU time of this thread, which other programs do not influence; 0 where the system does not report it.
fn thread_cpu_ms() -> f64 {
    let statistics = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = statistics.split(' ').next().and_then(|first| first.parse::<f64>().ok());
    nanoseconds.unwrap_or_default() / 1e6
}
