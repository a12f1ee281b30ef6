//! How long things take in a large library.

use std::time::Instant;

use protocol::{GalleryFilter, ProjectId};
use store::{NewTurn, Store};

use crate::Outcome;
use crate::chance::Chance;
use crate::image::{image, new_node, recipe};

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
const STYLES: [&str; 6] = ["watercolour", "水墨画", "oil on canvas", "a photograph", "pixel art", "pencil"];

pub(crate) fn run(n_nodes: usize) -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let store = Store::open(folder.path(), 1)?.store;
    let mut chance = Chance::new(3);
    let began = Instant::now();
    let mut project = ProjectId::new();
    let mut parent = None;
    for number in 0..n_nodes {
        if number % 5 == 0 {
            project = ProjectId::new();
            parent = None;
        }
        let title = format!(
            "{} {}, {}, variation {number}",
            chance.pick(&SUBJECTS).unwrap_or_default(),
            chance.pick(&PLACES).unwrap_or_default(),
            chance.pick(&STYLES).unwrap_or_default()
        );
        let image = image(number as u64, 64)?;
        let new = new_node(project, parent, &title);
        store.add_result(&new, &image, Some(&recipe(&title, number as u64, &image)), 1)?;
        parent = Some(new.id);
        if number % 10 == 0 {
            store.set_tags(&[new.id], &[format!("tag {}", number % 70)])?;
            store.set_starred(&[new.id], number % 20 == 0)?;
            let turn = NewTurn {
                question: "What season is it?".to_owned(),
                answer: format!("It looks like {number} days of winter."),
                images: vec![new.id],
                ..NewTurn::default()
            };
            store.add_turn(project, turn, 1)?;
        }
    }
    println!("bench: {n_nodes} images, {:.1} ms to save each", began.elapsed().as_secs_f64() * 1e3 / n_nodes as f64);

    let page = |name: &str, filter: GalleryFilter| -> Outcome<()> {
        let (mut walls, mut busy, mut after) = (Vec::new(), Vec::new(), None);
        loop {
            let (began, busy_before) = (Instant::now(), busy_ms());
            let page = store.gallery(&filter, after.as_ref(), 100)?;
            walls.push(began.elapsed().as_secs_f64() * 1e3);
            busy.push(busy_ms() - busy_before);
            after = page.next;
            if after.is_none() {
                walls.sort_by(f64::total_cmp);
                busy.sort_by(f64::total_cmp);
                let (middle, last) = (walls.len() / 2, walls.len() - 1);
                let at = |of: &[f64], place: usize| of.get(place).copied().unwrap_or_default();
                println!(
                    "bench: {name}: {} found, a page of 100 in {:.1} ms, slowest {:.1} ms; {:.1} ms of a processor, \
                     most {:.1} ms",
                    page.total,
                    at(&walls, middle),
                    at(&walls, last),
                    at(&busy, middle),
                    at(&busy, last)
                );
                return Ok(());
            }
        }
    };
    let all = GalleryFilter::default();
    page("everything", all.clone())?;
    page("starred", GalleryFilter { starred: true, ..all.clone() })?;
    page("a tag", GalleryFilter { tags: vec!["tag 20".to_owned()], ..all.clone() })?;
    for text in [
        "fox",
        "猫",
        "窗边",
        "a",
        "w",
        "watercolour snow dra",
        "season winter",
        "variation 77",
        "在雨中 水墨",
        "nothing",
    ] {
        page(&format!("search {text:?}"), GalleryFilter { text: text.to_owned(), ..all.clone() })?;
    }
    let timed = |what: &str, began: Instant| {
        println!("bench: {what}: {:.0} ms", began.elapsed().as_secs_f64() * 1e3);
    };
    let began = Instant::now();
    store.counts()?;
    timed("counts", began);
    let began = Instant::now();
    let first = store.gallery(&all, None, 500)?.nodes;
    first.iter().take(100).try_for_each(|node| store.thumbnail(node.id).map(drop))?;
    timed("100 thumbnails made", began);
    let began = Instant::now();
    store.back_up(2)?;
    timed("backup", began);

    drop(store);
    let began = Instant::now();
    let opened = Store::open(folder.path(), 3)?;
    timed("start after a crash", began);
    let began = Instant::now();
    opened.store.tend(u64::MAX / 4)?;
    timed("full check of the database", began);
    let began = Instant::now();
    opened.store.close(4)?;
    timed("close, with a backup", began);
    drop(opened);
    let began = Instant::now();
    let opened = Store::open(folder.path(), 5)?;
    timed("start after a close", began);
    opened.store.close(6)?;
    drop(opened);

    std::fs::write(folder.path().join("library.db"), b"no database")?;
    let began = Instant::now();
    let opened = Store::open(folder.path(), 7)?;
    timed("start with a damaged database, from the backup", began);
    drop(opened);
    std::fs::remove_file(folder.path().join("library.db"))?;
    std::fs::remove_dir_all(folder.path().join("backups"))?;
    let began = Instant::now();
    let opened = Store::open(folder.path(), 8)?;
    timed("start without database and backups, from the files", began);
    let n_back = opened.store.counts()?.n_nodes;
    if n_back != n_nodes as u64 {
        return Err(format!("{n_back} of {n_nodes} images came back").into());
    }
    Ok(())
}

/// Milliseconds that this thread has had a processor: what others do at the same time does not count. 0 where the
/// system does not say.
fn busy_ms() -> f64 {
    let statistics = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = statistics.split(' ').next().and_then(|first| first.parse::<f64>().ok());
    nanoseconds.unwrap_or_default() / 1e6
}
