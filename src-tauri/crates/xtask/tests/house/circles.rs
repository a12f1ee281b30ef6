//! Files of a crate use each other in one direction only: no circle of files.
//!
//! A file uses another one when a path in it leads into the other's module. That a file uses its own ancestors is not
//! counted: a parent that declares a child, and a child that extends its parent's type, are how Rust splits one module
//! into files. What an ancestor re-exports counts as the ancestor's, so that `Error` may name types of the files that
//! return it. Tests inside a file are left out.

use std::collections::{BTreeMap, BTreeSet};

use syn::visit::{self, Visit};

use crate::sources::{self, Source};

/// Circles that are about to be undone, by one of their files.
const NOT_YET: &[(&str, &str)] = &[("bagel", "weights"), ("cli", "host"), ("store", "store"), ("studio", "studio")];

type Module = Vec<String>;

/// Every path in a file, as a list of names.
#[derive(Default)]
struct Names {
    paths: Vec<Vec<String>>,
}

impl Names {
    fn read(file: &syn::File) -> Self {
        let mut names = Self::default();
        names.visit_file(file);
        names
    }

    fn add_tree(&mut self, tree: &syn::UseTree, before: &[String]) {
        let with = |name: &dyn ToString| before.iter().cloned().chain([name.to_string()]).collect::<Vec<_>>();
        match tree {
            syn::UseTree::Path(path) => self.add_tree(&path.tree, &with(&path.ident)),
            syn::UseTree::Name(name) => self.paths.push(with(&name.ident)),
            syn::UseTree::Rename(rename) => self.paths.push(with(&rename.ident)),
            syn::UseTree::Glob(_) => self.paths.push(before.to_vec()),
            syn::UseTree::Group(group) => group.items.iter().for_each(|tree| self.add_tree(tree, before)),
        }
    }
}

impl<'ast> Visit<'ast> for Names {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        let attributes = match item {
            syn::Item::Mod(it) => &it.attrs,
            syn::Item::Fn(it) => &it.attrs,
            syn::Item::Use(it) => &it.attrs,
            syn::Item::Impl(it) => &it.attrs,
            _ => &Vec::new(),
        };
        if sources::is_test(attributes) {
            return;
        }
        visit::visit_item(self, item);
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        // A re-export is how a parent shows what its children hold, and no use of it.
        if matches!(item.vis, syn::Visibility::Inherited) {
            self.add_tree(&item.tree, &[]);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.paths.push(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        // Most macros take expressions, whose paths are uses like any other.
        let parser = syn::punctuated::Punctuated::<syn::Expr, syn::Token![,]>::parse_terminated;
        for expression in call.parse_body_with(parser).into_iter().flatten() {
            self.visit_expr(&expression);
        }
        visit::visit_macro(self, call);
    }
}

/// The files of one crate by their modules.
struct Crate {
    names: BTreeMap<Module, Names>,
}

impl Crate {
    /// The module that a path leads to, seen from a module; nothing when it leads out of the crate.
    fn resolve(&self, from: &Module, path: &[String]) -> Option<Module> {
        let n_up = path.iter().take_while(|name| *name == "super").count();
        let (mut module, mut rest) = match path.first()?.as_str() {
            "crate" => (Vec::new(), &path[1..]),
            "self" => (from.clone(), &path[1..]),
            "super" => (from[..from.len().checked_sub(n_up)?].to_vec(), &path[n_up..]),
            // Otherwise only a child of this module is meant.
            _ => (from.clone(), path),
        };
        let is_external = rest.len() == path.len();
        while let Some((name, others)) = rest.split_first() {
            let child: Module = module.iter().cloned().chain([name.clone()]).collect();
            if !self.names.contains_key(&child) {
                break;
            }
            (module, rest) = (child, others);
        }
        (!is_external || module != *from).then_some(module)
    }

    /// The modules that each module uses, its own ancestors left out.
    fn uses(&self) -> BTreeMap<&Module, BTreeSet<Module>> {
        let used_by = |module: &Module, names: &Names| {
            let is_other = |target: &Module| !module.starts_with(target) && self.names.contains_key(target);
            names.paths.iter().filter_map(|path| self.resolve(module, path)).filter(is_other).collect()
        };
        self.names.iter().map(|(module, names)| (module, used_by(module, names))).collect()
    }
}

/// The circles among modules: sets of which each reaches each.
fn circles(uses: &BTreeMap<&Module, BTreeSet<Module>>) -> Vec<BTreeSet<Module>> {
    let reach = |start: &Module| {
        let (mut seen, mut pending) = (BTreeSet::new(), vec![start.clone()]);
        while let Some(module) = pending.pop() {
            for next in uses.get(&module).into_iter().flatten() {
                if seen.insert(next.clone()) {
                    pending.push(next.clone());
                }
            }
        }
        seen
    };
    let reached: BTreeMap<&Module, BTreeSet<Module>> = uses.keys().map(|module| (*module, reach(module))).collect();
    let circle = |module: &Module| -> BTreeSet<Module> {
        reached[module].iter().filter(|other| reached[*other].contains(module)).cloned().collect()
    };
    let all: BTreeSet<BTreeSet<Module>> = uses.keys().map(|module| circle(module)).filter(|it| it.len() > 1).collect();
    all.into_iter().collect()
}

fn find_circles(sources: Vec<Source>) -> Vec<String> {
    let mut crates: BTreeMap<String, Crate> = BTreeMap::new();
    for source in sources {
        let names = Names::read(&source.syntax);
        let of_package = crates.entry(source.package).or_insert_with(|| Crate { names: BTreeMap::new() });
        of_package.names.insert(source.module, names);
    }
    let mut found = Vec::new();
    for (package, modules) in &crates {
        let uses = modules.uses();
        for circle in circles(&uses) {
            let shown: Vec<String> = circle.iter().map(|module| module.join("::")).collect();
            if NOT_YET.iter().any(|(of, file)| of == package && shown.iter().any(|it| it == file)) {
                continue;
            }
            let arrows = circle.iter().map(|module| {
                let targets: Vec<String> = uses[module].intersection(&circle).map(|it| it.join("::")).collect();
                format!("\n    {} uses {}", module.join("::"), targets.join(", "))
            });
            found.push(format!("{package}: {}{}", shown.join(", "), arrows.collect::<String>()));
        }
    }
    found
}

#[test]
fn files_of_a_crate_form_no_circle() {
    let circles = find_circles(sources::rust_sources());
    assert!(circles.is_empty(), "move what both need into a file below them:\n{}", circles.join("\n"));
}

#[test]
fn circle_counts_between_files_and_not_with_ancestors() {
    let source = |module: &[&str], text: &str| Source {
        package: "example".to_owned(),
        path: String::new(),
        module: module.iter().map(|name| (*name).to_owned()).collect(),
        syntax: syn::parse_file(text).expect("Rust"),
    };
    let family = || {
        vec![
            source(&[], "mod a; mod b; mod c; pub use a::A; pub struct Top;"),
            source(&["c"], "mod d; use d::D; pub struct C;"),
            source(&["c", "d"], "use super::C; pub struct D(crate::Top);"),
            source(&["a"], "pub struct A; fn f() { drop(vec![crate::b::g()]); }"),
        ]
    };
    let mut sources = family();
    sources.push(source(&["b"], "pub fn g(_: crate::A) {} #[cfg(test)] mod tests { use crate::a::A; }"));
    assert_eq!(find_circles(sources), Vec::<String>::new());
    let mut sources = family();
    sources.push(source(&["b"], "use super::a::A; pub fn g(_: A) {}"));
    assert_eq!(find_circles(sources), ["example: a, b\n    a uses b\n    b uses a"]);
}
