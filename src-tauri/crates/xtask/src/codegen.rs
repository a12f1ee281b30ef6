//! Files that are generated from the code and checked in.

use anyhow::Result;

use crate::workspace::Workspace;

/// The examples that write the TypeScript twins of a package's types.
const EXAMPLES: &[(&str, &str)] = &[("protocol", "typescript")];

/// Writes all of them; tests beside the code fail when one is stale.
pub(crate) fn write(workspace: &Workspace) -> Result<()> {
    for (package, example) in EXAMPLES {
        println!("Writing the window's types from the package {package}");
        workspace.cargo(&["run", "--quiet", "--package", package, "--example", example]).run()?;
    }
    Ok(())
}
