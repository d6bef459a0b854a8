//! No type of another project stands in a public signature, except the few that are the vocabulary of Rust itself.
//!
//! Reads the sources: for every `pub` item that is not below a `#[cfg(test)]`, each path in its signature is traced to
//! its `use` line, and a crate that is not allowed there fails the test.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that reads the repository itself"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use syn::visit::{self, Visit};

/// Crates whose types may stand in the public API of the crate folders named, and why.
const ALLOWED: &[(&str, &[&str], &str)] = &[
    (
        "bytes",
        &[
            "mime",
            "auth",
            "transport",
            "conformance",
            "smtp",
            "events",
            "report",
            "providers",
        ],
        "shared bytes are what messages are made of; 1.x since 2021",
    ),
    (
        "serde",
        &["address", "auth", "template", "transport"],
        "the serialisation traits, by derive or by hand",
    ),
    (
        "futures_core",
        &["campaign"],
        "recipients come as a Stream, the trait that all of them implement",
    ),
    (
        "serde_json",
        &["campaign", "template", "providers"],
        "template data is JSON; 1.x since 2017",
    ),
    ("tower", &["transport"], "the tower feature is that trait"),
    (
        "tokio",
        &["smtp", "conformance"],
        "sockets handed to the server by who owns them",
    ),
];

struct Signatures<'a> {
    /// Name in scope to the crate that it comes from.
    imports: &'a BTreeMap<String, String>,
    foreign: &'a BTreeSet<String>,
    /// The file's own modules, which may have the name of a crate.
    modules: BTreeSet<String>,
    found: BTreeSet<(String, String)>,
    item: String,
}

impl Signatures<'_> {
    fn at(&mut self, item: &impl ToString, visit: impl FnOnce(&mut Self)) {
        let outer = std::mem::replace(&mut self.item, item.to_string());
        visit(self);
        self.item = outer;
    }
}

fn is_public(visibility: &syn::Visibility) -> bool {
    matches!(visibility, syn::Visibility::Public(_))
}

fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute
                .meta
                .require_list()
                .is_ok_and(|list| list.tokens.to_string().contains("test"))
    })
}

impl<'ast> Visit<'ast> for Signatures<'_> {
    fn visit_path(&mut self, path: &'ast syn::Path) {
        let first = path.segments[0].ident.to_string();
        let origin = self.imports.get(&first).cloned().unwrap_or(first);
        if self.foreign.contains(&origin) {
            self.found.insert((origin, self.item.clone()));
        }
        visit::visit_path(self, path);
    }

    fn visit_attribute(&mut self, _: &'ast syn::Attribute) {}

    fn visit_macro(&mut self, _: &'ast syn::Macro) {}

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        if is_public(&item.vis) {
            self.at(&item.sig.ident, |this| this.visit_signature(&item.sig));
        }
    }

    fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
        if is_public(&item.vis) {
            for field in item.fields.iter().filter(|field| is_public(&field.vis)) {
                self.at(&item.ident, |this| this.visit_type(&field.ty));
            }
        }
    }

    fn visit_item_enum(&mut self, item: &'ast syn::ItemEnum) {
        if is_public(&item.vis) {
            self.at(&item.ident, |this| visit::visit_item_enum(this, item));
        }
    }

    fn visit_item_trait(&mut self, item: &'ast syn::ItemTrait) {
        if is_public(&item.vis) {
            self.at(&item.ident, |this| {
                item.supertraits
                    .iter()
                    .for_each(|bound| this.visit_type_param_bound(bound));
                for member in &item.items {
                    if let syn::TraitItem::Fn(method) = member {
                        this.visit_signature(&method.sig);
                    }
                }
            });
        }
    }

    fn visit_item_type(&mut self, item: &'ast syn::ItemType) {
        if is_public(&item.vis) {
            self.at(&item.ident, |this| this.visit_type(&item.ty));
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if is_public(&item.vis)
            && let syn::UseTree::Path(path) = &item.tree
            && self.foreign.contains(&path.ident.to_string())
            && (item.leading_colon.is_some() || !self.modules.contains(&path.ident.to_string()))
        {
            self.found.insert((path.ident.to_string(), "pub use".to_owned()));
        }
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        if is_test(&item.attrs) {
            return;
        }
        if let Some((_, path, _)) = &item.trait_ {
            // `impl From<theirs::Error> for Error` shows their type; implementing their trait on a type of ours does not.
            let arguments = path.segments.iter().map(|segment| &segment.arguments);
            self.at(&"impl", |this| {
                arguments.for_each(|arguments| this.visit_path_arguments(arguments))
            });
            return;
        }
        for member in &item.items {
            if let syn::ImplItem::Fn(method) = member
                && is_public(&method.vis)
            {
                self.at(&method.sig.ident, |this| this.visit_signature(&method.sig));
            }
        }
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !is_test(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }
}

/// What each `use` line of a file brings into scope, by crate.
#[derive(Default)]
struct Imports {
    names: BTreeMap<String, String>,
}

impl Imports {
    fn add(&mut self, origin: &str, tree: &syn::UseTree) {
        match tree {
            syn::UseTree::Path(path) => self.add(origin, &path.tree),
            syn::UseTree::Name(name) => {
                self.names.insert(name.ident.to_string(), origin.to_owned());
            }
            syn::UseTree::Rename(rename) => {
                self.names.insert(rename.rename.to_string(), origin.to_owned());
            }
            syn::UseTree::Group(group) => group.items.iter().for_each(|item| self.add(origin, item)),
            syn::UseTree::Glob(_) => {}
        }
    }
}

impl<'ast> Visit<'ast> for Imports {
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if let syn::UseTree::Path(path) = &item.tree {
            self.add(&path.ident.to_string(), &path.tree);
        }
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !is_test(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }
}

/// The modules that a file declares.
fn modules(file: &syn::File) -> BTreeSet<String> {
    let name = |item: &syn::Item| match item {
        syn::Item::Mod(module) => Some(module.ident.to_string()),
        _ => None,
    };
    file.items.iter().filter_map(name).collect()
}

/// The crates outside the workspace that a crate's manifest names, as they are written in code.
fn foreign_crates() -> BTreeSet<String> {
    let metadata = cargo_metadata::MetadataCommand::new()
        .manifest_path(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
        .no_deps()
        .exec()
        .expect("cargo metadata runs");
    metadata
        .packages
        .iter()
        .flat_map(|package| &package.dependencies)
        .map(|dependency| dependency.name.replace('-', "_"))
        .filter(|name| !name.starts_with("posthaste"))
        .collect()
}

#[test]
fn foreign_types_stay_out_of_the_public_api() {
    let foreign = foreign_crates();
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates");
    let mut wrong = Vec::new();
    let mut signatures_read = 0;
    for entry in walkdir::WalkDir::new(&crates).sort_by_file_name() {
        let entry = entry.expect("readable");
        let path = entry.path();
        let relative = path.strip_prefix(&crates).expect("below crates");
        let folder = relative
            .iter()
            .next()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        let in_src = relative.iter().nth(1).is_some_and(|name| name == "src");
        if !in_src || folder == "xtask" || path.extension().is_none_or(|ending| ending != "rs") {
            continue;
        }
        let source = std::fs::read_to_string(path).expect("readable");
        let file = syn::parse_file(&source).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let mut imports = Imports::default();
        imports.visit_file(&file);
        let mut signatures = Signatures {
            imports: &imports.names,
            foreign: &foreign,
            modules: modules(&file),
            found: BTreeSet::new(),
            item: String::new(),
        };
        signatures.visit_file(&file);
        signatures_read += 1;
        for (origin, item) in signatures.found {
            let allowed = ALLOWED
                .iter()
                .any(|(name, folders, _)| *name == origin && folders.contains(&folder.as_str()));
            if !allowed {
                wrong.push(format!("{}: `{item}` shows a type of {origin}", relative.display()));
            }
        }
    }
    assert!(signatures_read > 20, "the sources were not found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
