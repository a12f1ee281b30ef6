//! From an older form of the database to the newest.

use std::path::Path;

use rusqlite::Connection;

use crate::table::schema;
use crate::{Result, backup};

/// Takes the steps that are missing, after a backup; gives the form that there was, if it was older.
pub(super) fn upgrade(writer: &mut Connection, folder: &Path, now_ms: u64) -> Result<Option<i64>> {
    let version = schema::read_header(writer)?.version;
    if version >= schema::latest_version() {
        return Ok(None);
    }
    backup::make(writer, folder, now_ms)?;
    schema::migrate(writer, schema::migrations())?;
    Ok(Some(version))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::PathBuf;
    use std::process::{Child, Command, Stdio};
    use std::time::{Duration, Instant};

    use protocol::ProjectId;
    use tempfile::TempDir;

    use super::*;
    use crate::files::database_path;
    use crate::recovery::DatabaseState;
    use crate::table::connection;
    use crate::{NewTurn, Store};

    /// Names the library to the process that is to be killed.
    const LIBRARY: &str = "STORE_TEST_LIBRARY";

    /// Rows that a step enters: enough to be caught at it.
    const N_ROWS: i64 = 300_000;

    /// Two steps as later versions may take them.
    const STEPS: [&str; 2] = [
        "ALTER TABLE project ADD COLUMN color TEXT;
         CREATE TABLE palette (id INTEGER PRIMARY KEY, color TEXT NOT NULL) STRICT;
         INSERT INTO palette (color) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000)
            SELECT printf('%06x', i) FROM n;
         UPDATE project SET color = 'red';",
        "CREATE TABLE shade (id INTEGER PRIMARY KEY REFERENCES palette (id), light REAL NOT NULL) STRICT;
         INSERT INTO shade (id, light) SELECT id, id / 300000.0 FROM palette;
         DROP TABLE timing;
         UPDATE project SET color = 'green';",
    ];

    /// When a program is killed.
    #[derive(Clone, Copy, Debug)]
    enum Moment {
        /// After its start.
        Millis(u64),
        /// When the backup is there, and the first step has begun.
        BackedUp,
        /// When the first step is taken, and the second has begun.
        FirstStep,
    }

    /// A library of the newest form that is known, with something in it.
    fn library() -> (TempDir, ProjectId) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), 1).unwrap().store;
        let project = ProjectId::new();
        let turn = NewTurn { prompt: "Why?".to_owned(), answer: "Snow.".to_owned(), ..NewTurn::default() };
        store.add_turn(project, turn, 2).unwrap();
        store.close(3).unwrap();
        (folder, project)
    }

    /// How many steps a library has seen before it meets the later version.
    fn known() -> i64 {
        schema::latest_version()
    }

    fn start(folder: &Path) -> Child {
        let program = std::env::current_exe().unwrap();
        let arguments = ["recovery::upgrade::tests::upgrade_what_the_environment_names", "--exact", "--ignored"];
        let mut command = Command::new(program);
        command.args(arguments).env(LIBRARY, folder).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().unwrap()
    }

    fn backups(folder: &Path) -> Vec<PathBuf> {
        backup::list(folder).unwrap().into_iter().map(|backup| backup.path).collect()
    }

    fn version(folder: &Path) -> i64 {
        connection::reader(&database_path(folder))
            .and_then(|db| schema::read_header(&db))
            .map_or(0, |form| form.version)
    }

    /// How many of the later version's steps a database has seen: it must hold all of them and nothing of the next.
    fn check(path: &Path, project: ProjectId) -> i64 {
        let db = connection::reader(path).unwrap();
        assert_eq!(connection::check(&db, connection::Check::Full).unwrap(), None);
        let count = |query: &str| db.query_row(query, [], |row| row.get::<_, i64>(0));
        let n_taken = schema::read_header(&db).unwrap().version - known();
        assert_eq!(count("SELECT count(*) FROM palette").ok(), (n_taken >= 1).then_some(N_ROWS), "{n_taken} steps");
        assert_eq!(count("SELECT count(*) FROM shade").ok(), (n_taken >= 2).then_some(N_ROWS), "{n_taken} steps");
        assert_eq!(count("SELECT count(*) FROM timing").is_ok(), n_taken < 2, "{n_taken} steps");
        let color = db.query_row("SELECT color FROM project", [], |row| row.get::<_, String>(0)).ok();
        assert_eq!(color.as_deref(), [None, Some("red"), Some("green")][n_taken as usize]);
        let answer: String = db.query_row("SELECT answer FROM turn", [], |row| row.get(0)).unwrap();
        let id: String = db.query_row("SELECT id FROM project", [], |row| row.get(0)).unwrap();
        assert_eq!((answer.as_str(), id), ("Snow.", project.to_string()));
        n_taken
    }

    /// Kills a program at its upgrade, and gives the steps that the database has seen then, and whether a backup was made.
    fn kill(folder: &Path, moment: Moment) -> (i64, bool) {
        let n_before = backups(folder).len();
        let mut child = start(folder);
        let begun = Instant::now();
        let is_come = || match moment {
            Moment::Millis(millis) => begun.elapsed() >= Duration::from_millis(millis),
            Moment::BackedUp => backups(folder).len() > n_before,
            Moment::FirstStep => version(folder) > known(),
        };
        while !is_come() && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(1));
        }
        drop(child.kill());
        child.wait().unwrap();
        (version(folder) - known(), backups(folder).len() > n_before)
    }

    #[test]
    fn an_upgrade_that_is_killed_has_taken_whole_steps_and_a_backup_first() {
        let mut seen = BTreeSet::new();
        let moments =
            [Moment::BackedUp, Moment::FirstStep, Moment::Millis(10), Moment::Millis(60), Moment::Millis(150)];
        for (round, moment) in moments.into_iter().cycle().take(20).enumerate() {
            if round >= moments.len() && seen.is_superset(&BTreeSet::from([(0, true), (1, true)])) {
                break;
            }
            let (folder, project) = library();
            let (found, is_backed_up) = kill(folder.path(), moment);
            seen.insert((found, is_backed_up));
            assert_eq!(check(&database_path(folder.path()), project), found, "{moment:?}");
            assert!(found == 0 || is_backed_up, "{moment:?}: a step was taken without a backup");
            for backup in backups(folder.path()) {
                assert_eq!(check(&backup, project), 0, "a backup is of the form before");
            }
            // Killed once more on the way, and then left alone.
            kill(folder.path(), Moment::Millis(40));
            assert!(start(folder.path()).wait().unwrap().success(), "{moment:?}");
            assert_eq!(check(&database_path(folder.path()), project), 2);
        }
        assert!(seen.is_superset(&BTreeSet::from([(0, true), (1, true)])), "not caught between steps: {seen:?}");
    }

    /// A later version of the program that opens a library, in a process of its own.
    #[test]
    #[ignore = "is started by the test before it"]
    fn upgrade_what_the_environment_names() {
        let Some(folder) = std::env::var_os(LIBRARY) else { return };
        schema::add_migrations(&STEPS);
        let before = version(Path::new(&folder));
        let opened = Store::open(Path::new(&folder), 4).unwrap();
        let expected = if before < known() { DatabaseState::Migrated { from: before } } else { DatabaseState::Sound };
        assert_eq!(opened.recovery.database, expected);
        assert!(opened.recovery.missing.is_empty());
        opened.store.close(5).unwrap();
    }
}
