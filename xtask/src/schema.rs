//! `cargo xtask schema`: the look-alike's extract of Shopify's Admin schema, made from the published one, and those of the
//! schemas of Shopify Functions ([`functions`]).
//!
//! Owns what is taken and how it is written: `crates/twin/schema/types-in-use.txt` names the types, the npm package
//! `@shopify/dev-mcp` holds the whole, and `admin-2026-10.graphql` and `scopes.json` come out, byte for byte the same
//! each time. It adds nothing of its own to the schema and takes nothing else from the package. Without `--check` it
//! needs the network once (`npm pack`) or a tarball that is already here.

mod functions;
mod published;

use anyhow::{Context, Result, bail, ensure};
use clap::Args as ClapArgs;
use flate2::read::GzDecoder;
use published::{Field, Input, Published, Reference, Type};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Command;

const PACKAGE: &str = "@shopify/dev-mcp";
const PACKAGE_VERSION: &str = "1.16.0";
const API_VERSION: &str = "2026-10";
const FOLDER: &str = "crates/twin/schema";
/// Where a tarball is looked for before npm is asked, and kept afterwards.
const TARBALL: &str = "target/schema/shopify-dev-mcp-1.16.0.tgz";

/// Makes the look-alike's extract of Shopify's published Admin schema.
#[derive(ClapArgs, Debug)]
pub(crate) struct Args {
    /// The npm package as a local tarball; without it, the one kept under target/, else `npm pack`.
    #[arg(long)]
    tarball: Option<PathBuf>,
    /// Writes nothing; fails where the committed extract differs from what would be written.
    #[arg(long)]
    check: bool,
}

pub(crate) fn run(root: &Path, args: &Args) -> Result<()> {
    let tarball = match &args.tarball {
        Some(path) => path.clone(),
        None => kept_or_packed(root)?,
    };
    for (name, text) in extract_from(root, &tarball)? {
        put(root, args, &format!("{FOLDER}/{name}"), &text)?;
    }
    for (name, text) in functions::extracts(root, &tarball)? {
        put(root, args, &format!("{}/{name}", functions::FOLDER), &text)?;
    }
    Ok(())
}

fn put(root: &Path, args: &Args, name: &str, text: &str) -> Result<()> {
    let path = root.join(name);
    if args.check {
        let committed = std::fs::read_to_string(&path).with_context(|| format!("reading {name}"))?;
        ensure!(
            committed == text,
            "{name} is not what `cargo xtask schema` writes: run it and commit the result"
        );
    } else {
        std::fs::write(&path, text).with_context(|| format!("writing {name}"))?;
    }
    println!("{name}: {}", if args.check { "in step" } else { "written" });
    Ok(())
}

fn kept_or_packed(root: &Path) -> Result<PathBuf> {
    let kept = root.join(TARBALL);
    if kept.exists() {
        return Ok(kept);
    }
    let folder = kept.parent().context("the tarball has a folder")?;
    std::fs::create_dir_all(folder)?;
    let package = format!("{PACKAGE}@{PACKAGE_VERSION}");
    let status = Command::new("npm")
        .args(["pack", "--silent", &package])
        .current_dir(folder)
        .status()
        .context("running npm: install it, or pass --tarball with the package")?;
    ensure!(status.success() && kept.exists(), "npm pack {package} failed: pass --tarball with the package");
    Ok(kept)
}

/// The files of the extract, by name.
fn extract_from(root: &Path, tarball: &Path) -> Result<Vec<(&'static str, String)>> {
    let wanted = Wanted::parse(&std::fs::read_to_string(root.join(FOLDER).join("types-in-use.txt"))?)?;
    let published = published_in(tarball, "admin")?;
    let notice = String::from_utf8(member_of(tarball, "package/LICENSE")?)?;
    let extract = Extract::new(&published, &wanted)?;
    Ok(vec![
        ("admin-2026-10.graphql", extract.sdl(SDL_HEAD)?),
        ("scopes.json", extract.scopes()?),
        ("NOTICE", format!("{NOTICE_HEAD}\n{}\n", notice.trim_end())),
    ])
}

/// The introspection of one of Shopify's APIs.
fn published_in(tarball: &Path, api: &str) -> Result<Published> {
    let member = format!("package/dist/data/{api}_{API_VERSION}.json.gz");
    let mut whole = String::new();
    GzDecoder::new(member_of(tarball, &member)?.as_slice())
        .read_to_string(&mut whole)
        .context("inflating the introspection")?;
    serde_json::from_str(&whole).context("reading the introspection")
}

const NOTICE_HEAD: &str = "admin-2026-10.graphql and scopes.json in this folder are an extract of the Admin API schema (2026-10) that Shopify
publishes in the npm package @shopify/dev-mcp 1.16.0 (dist/data/admin_2026-10.json.gz). They are under that package's
licence, which follows. Everything else in this repository is under the licence at its root.
";

fn member_of(tarball: &Path, member: &str) -> Result<Vec<u8>> {
    let output = Command::new("tar").arg("-xzOf").arg(tarball).arg(member).output().context("running tar")?;
    ensure!(output.status.success() && !output.stdout.is_empty(), "{} holds no {member}", tarball.display());
    Ok(output.stdout)
}

/// Type name → all its fields (None) or those named.
struct Wanted(BTreeMap<String, Option<BTreeSet<String>>>);

impl Wanted {
    fn parse(text: &str) -> Result<Self> {
        let mut types = BTreeMap::new();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let (name, fields) = match line.split_once(':') {
                Some((name, fields)) => (name, Some(fields.split_whitespace().map(str::to_owned).collect())),
                None => (line, None),
            };
            ensure!(types.insert(name.to_owned(), fields).is_none(), "types-in-use.txt names {name} twice");
        }
        Ok(Self(types))
    }
}

/// What is taken: the types named, closed over scalars, enums and inputs.
struct Extract<'a> {
    published: &'a Published,
    types: BTreeMap<&'a str, &'a Type>,
    wanted: &'a Wanted,
}

impl<'a> Extract<'a> {
    fn new(published: &'a Published, wanted: &'a Wanted) -> Result<Self> {
        let all: BTreeMap<&str, &Type> =
            published.data.schema.types.iter().map(|of| (of.name.as_str(), of)).collect();
        let mut extract = Self { published, types: BTreeMap::new(), wanted };
        let mut open: Vec<&str> = Vec::new();
        for (name, fields) in &wanted.0 {
            let (name, of) =
                all.get_key_value(name.as_str()).with_context(|| format!("the schema has no type {name}"))?;
            for field in fields.iter().flatten() {
                let known = of.fields.iter().flatten().any(|candidate| candidate.name == *field);
                ensure!(known, "the schema has no field {name}.{field}");
            }
            extract.types.insert(name, of);
        }
        for of in extract.types.values() {
            for field in extract.kept(of) {
                open.extend(field.of.is_leaf().then(|| field.of.name()).transpose()?);
                for arg in &field.args {
                    open.push(arg.of.name()?);
                }
            }
        }
        while let Some(name) = open.pop() {
            let of = all.get(name).with_context(|| format!("the schema has no type {name}"))?;
            if extract.types.insert(name, of).is_none() {
                for input in of.input_fields.iter().flatten() {
                    open.push(input.of.name()?);
                }
            }
        }
        Ok(extract)
    }

    fn takes(&self, field: &Field) -> bool {
        field.of.is_leaf() || field.of.name().is_ok_and(|name| self.wanted.0.contains_key(name))
    }

    fn kept(&self, of: &'a Type) -> Vec<&'a Field> {
        let named = self.wanted.0.get(&of.name).and_then(Option::as_ref);
        of.fields
            .iter()
            .flatten()
            .filter(|field| self.takes(field) && named.is_none_or(|named| named.contains(&field.name)))
            .collect()
    }

    /// Fields that the published type has and the extract has not; the two roots are narrowed on purpose.
    fn left_out(&self, of: &'a Type) -> Vec<&'a str> {
        if self.wanted.0.get(&of.name).is_some_and(Option::is_some) {
            return Vec::new();
        }
        of.fields
            .iter()
            .flatten()
            .filter(|field| !self.takes(field))
            .map(|field| field.name.as_str())
            .collect()
    }

    fn sdl(&self, head: &str) -> Result<String> {
        let mut out = String::from(head);
        for of in self.types.values() {
            self.write_type(&mut out, of)?;
        }
        Ok(out)
    }

    fn write_type(&self, out: &mut String, of: &'a Type) -> Result<()> {
        let name = &of.name;
        match of.kind.as_str() {
            "SCALAR" if BUILT_IN.contains(&name.as_str()) => {}
            "SCALAR" => writeln!(out, "\nscalar {name}")?,
            "ENUM" => {
                writeln!(out, "\nenum {name} {{")?;
                for value in of.enum_values.iter().flatten() {
                    writeln!(
                        out,
                        "  {}{}",
                        value.name,
                        deprecated(value.is_deprecated, value.deprecation_reason.as_deref())?
                    )?;
                }
                writeln!(out, "}}")?;
            }
            "UNION" => {
                writeln!(out, "\nunion {name} = {}", self.known(of.possible_types.as_deref())?.join(" | "))?
            }
            "INPUT_OBJECT" => {
                writeln!(
                    out,
                    "\ninput {name}{} {{",
                    if of.is_one_of == Some(true) { " @oneOf" } else { "" }
                )?;
                for input in of.input_fields.iter().flatten() {
                    writeln!(out, "  {}", write_input(input)?)?;
                }
                writeln!(out, "}}")?;
            }
            "OBJECT" | "INTERFACE" => {
                let keyword = if of.kind == "OBJECT" { "type" } else { "interface" };
                let interfaces = self.known(of.interfaces.as_deref())?;
                let implements = if interfaces.is_empty() {
                    String::new()
                } else {
                    format!(" implements {}", interfaces.join(" & "))
                };
                writeln!(out, "\n{keyword} {name}{implements} {{")?;
                for field in self.kept(of) {
                    let args = field.args.iter().map(write_input).collect::<Result<Vec<_>>>()?.join(", ");
                    let args = if args.is_empty() { args } else { format!("({args})") };
                    let suffix = deprecated(field.is_deprecated, field.deprecation_reason.as_deref())?;
                    writeln!(out, "  {}{args}: {}{suffix}", field.name, field.of.write()?)?;
                }
                writeln!(out, "}}")?;
            }
            other => bail!("{name} is of the unknown kind {other}"),
        }
        Ok(())
    }

    /// Those of the references that the extract holds.
    fn known(&self, references: Option<&'a [Reference]>) -> Result<Vec<&'a str>> {
        let names = references.unwrap_or_default().iter().map(Reference::name).collect::<Result<Vec<_>>>()?;
        Ok(names.into_iter().filter(|name| self.types.contains_key(name)).collect())
    }

    fn scopes(&self) -> Result<String> {
        let mut any_of: BTreeMap<(&str, Option<&str>), &[String]> = BTreeMap::new();
        for item in self.published.offline_scopes.items.iter().filter(|item| !item.offline_scopes.is_empty())
        {
            any_of.insert((&item.type_name, item.field_name.as_deref()), &item.offline_scopes);
        }
        let rule = |of: &str, field: Option<&str>, text: Option<&str>| {
            any_of.get(&(of, field)).map(|scopes| {
                let text = text.unwrap_or_default().trim_end();
                json!({ "any_of": sufficient(scopes, text), "text": text })
            })
        };
        let (mut types, mut fields) = (BTreeMap::new(), BTreeMap::new());
        let (mut protected, mut left_out) = (BTreeMap::new(), BTreeMap::new());
        for (name, of) in &self.types {
            types.extend(
                rule(name, None, of.required_access.as_deref()).map(|rule| ((*name).to_owned(), rule)),
            );
            for field in self.kept(of) {
                let path = format!("{name}.{}", field.name);
                if field.is_protected == Some(true) {
                    protected.insert(path.clone(), field.protected_content.clone().unwrap_or_default());
                }
                fields.extend(
                    rule(name, Some(&field.name), field.required_access.as_deref()).map(|rule| (path, rule)),
                );
            }
            let missing = self.left_out(of);
            if !missing.is_empty() {
                left_out.insert((*name).to_owned(), Value::from(missing));
            }
        }
        let whole = json!({ "types": types, "fields": fields, "protected": protected, "left_out": left_out });
        Ok(serde_json::to_string_pretty(&whole)? + "\n")
    }
}

/// The list of scopes also holds those of special cases, which the text names after "Also:": none of them is enough.
fn sufficient<'a>(scopes: &'a [String], text: &str) -> Vec<&'a str> {
    let main = text.split("Also:").next().unwrap_or(text);
    let named: Vec<&str> =
        scopes.iter().map(String::as_str).filter(|scope| main.contains(&format!("`{scope}`"))).collect();
    if named.is_empty() { scopes.iter().map(String::as_str).collect() } else { named }
}

const BUILT_IN: [&str; 5] = ["Boolean", "Float", "ID", "Int", "String"];

const SDL_HEAD: &str = "# Generated by `cargo xtask schema` from @shopify/dev-mcp 1.16.0 (ISC, see NOTICE); not edited by hand.
# The types of types-in-use.txt with all their fields, less the fields whose own type is not in use (`left_out` in
# scopes.json), with the scalars, enums and inputs that they need. Descriptions are left out.

schema {
  query: QueryRoot
  mutation: Mutation
}

directive @idempotent(key: String!) on FIELD

directive @oneOf on INPUT_OBJECT
";

fn write_input(input: &Input) -> Result<String> {
    let default = input.default_value.as_ref().map(|value| format!(" = {value}")).unwrap_or_default();
    Ok(format!("{}: {}{default}", input.name, input.of.write()?))
}

fn deprecated(is: bool, reason: Option<&str>) -> Result<String> {
    match (is, reason) {
        (false, _) => Ok(String::new()),
        (true, None) => Ok(" @deprecated".to_owned()),
        (true, Some(reason)) => Ok(format!(" @deprecated(reason: {})", serde_json::to_string(reason)?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The package is not in the repository: where nobody has fetched it, this test says so and proves nothing.
    #[test]
    fn the_committed_extract_is_what_the_published_schema_gives() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let tarball = root.join(TARBALL);
        if !tarball.exists() {
            println!("skipped: no {TARBALL}; `cargo xtask schema` fetches it");
            return;
        }
        run(root, &Args { tarball: Some(tarball), check: true }).unwrap();
    }

    #[test]
    fn a_list_of_types_names_each_once() {
        let wanted = Wanted::parse("# head\n\nQueryRoot: order orders\nOrder\n").unwrap();
        assert_eq!(wanted.0["Order"], None);
        assert_eq!(wanted.0["QueryRoot"].as_ref().unwrap().len(), 2);
        assert!(Wanted::parse("Order\nOrder").is_err());
    }

    #[test]
    fn references_are_written_as_graphql_writes_them() {
        let of: Reference = serde_json::from_value(json!({
            "kind": "NON_NULL", "name": null,
            "ofType": { "kind": "LIST", "name": null, "ofType": { "kind": "ENUM", "name": "CurrencyCode", "ofType": null } }
        }))
        .unwrap();
        assert_eq!(of.write().unwrap(), "[CurrencyCode]!");
        assert!(of.is_leaf());
    }
}
