//! The database's form, and the way from each form to the next.

use rusqlite::Connection;

use crate::Result;
use crate::table::connection::{APPLICATION_ID, begin};

/// Each step from one form to the next, the first from an empty file.
const MIGRATIONS: &[&str] = &[V1];

const V1: &str = "
CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE project (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    default_name TEXT NOT NULL,
    name TEXT,
    created_ms INTEGER NOT NULL,
    changed_ms INTEGER NOT NULL,
    changed_seq INTEGER NOT NULL UNIQUE
) STRICT;

CREATE TABLE image (
    hash TEXT PRIMARY KEY,
    format TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    pixel_hash TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX image_pixel_hash ON image (pixel_hash);

CREATE TABLE node (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    project INTEGER NOT NULL REFERENCES project (seq),
    parent INTEGER REFERENCES node (seq),
    image TEXT NOT NULL REFERENCES image (hash),
    origin TEXT NOT NULL,
    prompt TEXT NOT NULL,
    name TEXT,
    seed INTEGER,
    plan TEXT,
    model TEXT,
    starred INTEGER NOT NULL DEFAULT 0,
    trashed_ms INTEGER,
    took_ms INTEGER,
    created_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX node_project ON node (project, seq);
CREATE INDEX node_parent ON node (parent) WHERE parent IS NOT NULL;
CREATE INDEX node_image ON node (image);
CREATE INDEX node_starred ON node (seq) WHERE starred = 1;
CREATE INDEX node_trashed ON node (trashed_ms) WHERE trashed_ms IS NOT NULL;
CREATE INDEX node_visible ON node (project, seq) WHERE trashed_ms IS NULL;

CREATE TABLE reference (
    node INTEGER NOT NULL REFERENCES node (seq) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    target TEXT NOT NULL,
    PRIMARY KEY (node, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX reference_target ON reference (target);

CREATE TABLE recipe (
    node INTEGER PRIMARY KEY REFERENCES node (seq) ON DELETE CASCADE,
    body TEXT NOT NULL
) STRICT;

CREATE TABLE tag (
    node INTEGER NOT NULL REFERENCES node (seq) ON DELETE CASCADE,
    tag TEXT NOT NULL,
    PRIMARY KEY (node, tag)
) STRICT, WITHOUT ROWID;
CREATE INDEX tag_name ON tag (tag, node);

CREATE TABLE turn (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    project INTEGER NOT NULL REFERENCES project (seq),
    prompt TEXT NOT NULL,
    plan TEXT,
    answer TEXT NOT NULL,
    stopped INTEGER NOT NULL,
    left_out INTEGER NOT NULL DEFAULT 0,
    created_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX turn_project ON turn (project, seq);

CREATE TABLE turn_image (
    turn INTEGER NOT NULL REFERENCES turn (seq) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    node TEXT NOT NULL,
    PRIMARY KEY (turn, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX turn_image_node ON turn_image (node);

CREATE TABLE job (
    id TEXT PRIMARY KEY,
    position INTEGER NOT NULL,
    state TEXT NOT NULL,
    body TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE timing (
    seq INTEGER PRIMARY KEY,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    created_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX timing_key ON timing (key, seq);

CREATE TABLE pending_delete (
    path TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;

CREATE VIRTUAL TABLE search USING fts5 (
    terms, content = '', contentless_delete = 1, tokenize = 'ascii', prefix = '1 2'
);
";

/// Each step that this program knows.
#[cfg(not(test))]
pub(crate) fn migrations() -> &'static [&'static str] {
    MIGRATIONS
}

#[cfg(test)]
pub(crate) use tests::{add_migrations, migrations};

/// The newest form that this program knows.
pub(crate) fn latest_version() -> i64 {
    migrations().len() as i64
}

/// What a database says about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    /// Whose file it is; 0 when nobody said so.
    pub(crate) application: i32,
    /// How many of the steps it has seen.
    pub(crate) version: i64,
}

/// Reads what a database says about itself.
pub(crate) fn read_header(connection: &Connection) -> Result<Header> {
    let application = connection.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    let version = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    Ok(Header { application, version })
}

/// Whether a database holds nothing at all.
pub(crate) fn is_empty(connection: &Connection) -> Result<bool> {
    Ok(connection.query_row("SELECT count(*) = 0 FROM sqlite_schema", [], |row| row.get(0))?)
}

/// Takes all steps that are missing, each as a whole or not at all.
pub(crate) fn migrate(connection: &mut Connection, migrations: &[&str]) -> Result<()> {
    let done = read_header(connection)?.version;
    for (version, migration) in (1_i64..).zip(migrations).filter(|(version, _)| *version > done) {
        let tx = begin(connection)?;
        tx.execute_batch(migration)?;
        tx.pragma_update(None, "application_id", APPLICATION_ID)?;
        tx.pragma_update(None, "user_version", version)?;
        tx.commit()?;
    }
    Ok(())
}

/// The largest of all sequence numbers in use.
pub(crate) fn last_sequence(connection: &Connection) -> Result<i64> {
    Ok(connection.query_row(
        "SELECT max(
            coalesce((SELECT max(seq) FROM node), 0),
            coalesce((SELECT max(seq) FROM turn), 0),
            coalesce((SELECT max(seq) FROM project), 0),
            coalesce((SELECT max(changed_seq) FROM project), 0))",
        [],
        |row| row.get(0),
    )?)
}

/// Whether a sequence number can be given to an image.
pub(crate) fn is_free(connection: &Connection, seq: i64) -> Result<bool> {
    let mut statement = connection.prepare_cached(
        "SELECT NOT (EXISTS (SELECT 1 FROM node WHERE seq = ?1)
            OR EXISTS (SELECT 1 FROM turn WHERE seq = ?1)
            OR EXISTS (SELECT 1 FROM project WHERE seq = ?1 OR changed_seq = ?1))",
    )?;
    Ok(statement.query_row([seq], |row| row.get(0))?)
}

#[cfg(test)]
mod tests {
    use std::sync::OnceLock;

    use super::*;

    static STEPS: OnceLock<Vec<&str>> = OnceLock::new();

    /// The steps that are known, with those that this process was told of.
    pub(crate) fn migrations() -> &'static [&'static str] {
        STEPS.get().map_or(MIGRATIONS, Vec::as_slice)
    }

    /// Makes this process a later version of the program, one that takes these steps as well.
    pub(crate) fn add_migrations(steps: &[&'static str]) {
        STEPS.set([MIGRATIONS, steps].concat()).unwrap();
    }

    /// What a database looks like from outside.
    fn look(connection: &Connection) -> (Header, Vec<String>) {
        let mut statement =
            connection.prepare("SELECT name || coalesce(sql, '') FROM sqlite_schema ORDER BY 1").unwrap();
        let tables = statement.query_map([], |row| row.get(0)).unwrap().collect::<rusqlite::Result<_>>().unwrap();
        (read_header(connection).unwrap(), tables)
    }

    fn with_v1() -> Connection {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, &[V1]).unwrap();
        connection.execute("INSERT INTO meta (key, value) VALUES ('a', '1')", []).unwrap();
        connection
    }

    /// A step as a later version may take it.
    const NEXT: &str = "
        ALTER TABLE project ADD COLUMN color TEXT;
        CREATE TABLE palette (id INTEGER PRIMARY KEY, color TEXT NOT NULL) STRICT;
        INSERT INTO palette (color) SELECT value FROM meta;
        UPDATE meta SET value = '2';
        DROP TABLE timing;";

    #[test]
    fn steps_are_taken_once_each() {
        let mut connection = with_v1();
        let before = look(&connection);
        migrate(&mut connection, &[V1]).unwrap();
        assert_eq!(look(&connection), before);
        assert_eq!(before.0, Header { application: APPLICATION_ID, version: 1 });
        migrate(&mut connection, &[V1, NEXT]).unwrap();
        migrate(&mut connection, &[V1, NEXT]).unwrap();
        assert_eq!(read_header(&connection).unwrap().version, 2);
        let value: String = connection.query_row("SELECT value FROM meta", [], |row| row.get(0)).unwrap();
        assert_eq!(value, "2");
    }

    #[test]
    fn a_step_that_fails_anywhere_leaves_everything_as_it_was() {
        let mut n_failures = 0;
        for (done, step) in [(None, V1), (Some(V1), NEXT)] {
            let ends: Vec<usize> = step.match_indices(';').map(|(position, _)| position + 1).collect();
            for end in ends {
                let (first, rest) = step.split_at(end);
                let broken = format!("{first} INSERT INTO no_such_table VALUES (1); {rest}");
                let mut connection = if done.is_some() { with_v1() } else { Connection::open_in_memory().unwrap() };
                let before = look(&connection);
                let steps: Vec<&str> = done.into_iter().chain([broken.as_str()]).collect();
                assert!(migrate(&mut connection, &steps).is_err());
                assert_eq!(look(&connection), before);
                n_failures += 1;
            }
        }
        assert!(n_failures > 25);
    }
}
