//! Files that are generated from the code and checked in.

use anyhow::Result;

use crate::workspace::Workspace;

/// Packages whose example `typescript` writes the TypeScript twin of their types.
const PACKAGES: &[&str] = &["protocol", "studio"];

/// Writes all of them; tests beside the code fail when one is stale.
pub(crate) fn write(workspace: &Workspace) -> Result<()> {
    for package in PACKAGES {
        if workspace.root.join("src-tauri/crates").join(package).join("examples/typescript.rs").is_file() {
            println!("Writing the window's types from the package {package}");
            workspace.cargo(&["run", "--quiet", "--package", package, "--example", "typescript"]).run()?;
        }
    }
    Ok(())
}
