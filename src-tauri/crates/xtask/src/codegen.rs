//! Files that are generated from the code and checked in.

use anyhow::Result;

use crate::workspace::Workspace;

/// Writes all of them; tests beside the code fail when one is stale.
pub(crate) fn write(workspace: &Workspace) -> Result<()> {
    println!("Writing the window's types from the protocol");
    workspace.cargo(&["run", "--quiet", "--package", "protocol", "--example", "typescript"]).run()
}
