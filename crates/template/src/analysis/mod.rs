//! Finds out what a template reads from its data, without any data.
//!
//! The sources are walked as rendering would, every way once, with a graph of values in place of data.

mod call;
mod need;
mod schema;
mod scope;
mod shape;
mod walk;

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value};

use self::shape::{Graph, NodeId, Step};
use crate::ast::Body;
use crate::code::Code;
use crate::error::Shown;
use crate::location::{Location, Part};
use crate::parse::parse;
use crate::program::Program;
use crate::variable::{Usage, Variable};

/// How much is looked at before it is enough: names, calls of partials, and what they lead to.
const MOST_STEPS: usize = 1_000_000;

/// What has been found in one or more sources that are rendered with the same data.
pub(crate) struct Analysis {
    graph: Graph,
    uses: HashMap<Use, First>,
    /// What may still be looked at.
    left: usize,
    /// A name that is missing from any data.
    never: Option<(String, Location)>,
}

/// One source: of which program, and the name of the partial if it is one.
type SourceId = (usize, Option<std::sync::Arc<str>>);

/// One way of using one value in one source.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Use {
    part: Part,
    partial: Option<std::sync::Arc<str>>,
    node: NodeId,
    /// Whether it is the length of the value.
    length: bool,
    usage: Usage,
}

/// The place where it is used so first.
struct First {
    at: usize,
    name: String,
}

impl Analysis {
    /// Analyses `programs`, which get the same data.
    pub(crate) fn new<'p>(programs: impl IntoIterator<Item = &'p Program>) -> Self {
        let mut analysis = Self {
            graph: Graph::new(),
            uses: HashMap::new(),
            left: MOST_STEPS,
            never: None,
        };
        for program in programs {
            analysis.add(program);
        }
        if !analysis.graph.settle() {
            analysis.left = 0;
        }
        analysis
    }

    fn add(&mut self, program: &Program) {
        let (code, partials, options) = program.contents();
        // All of them have been compiled, so all can be parsed.
        let read = |code| Source::new(code, options.limits.depth);
        let Some(main) = read(code) else { return };
        let partials: HashMap<&str, Source<'_>> = partials
            .iter()
            .filter_map(|(name, code)| Some((&**name, read(code)?)))
            .collect();
        walk::walk(self, &main, &partials, options);
    }

    /// Whether everything has been looked at.
    fn complete(&self) -> bool {
        self.left > 0
    }

    fn charge(&mut self, steps: usize) -> bool {
        self.left = self.left.saturating_sub(steps);
        self.left > 0
    }

    /// Lists what is used, by part, source and place.
    pub(crate) fn variables<'p>(mut self, programs: impl IntoIterator<Item = &'p Program>) -> Vec<Variable> {
        let codes: Vec<(Part, &Code, &crate::render::Partials)> = programs
            .into_iter()
            .map(|program| {
                let (code, partials, options) = program.contents();
                (options.part, code, partials)
            })
            .collect();
        let mut groups: BTreeMap<SourceId, Vec<(Use, First)>> = BTreeMap::new();
        for (used, first) in std::mem::take(&mut self.uses) {
            let order = codes
                .iter()
                .position(|(part, ..)| *part == used.part)
                .unwrap_or_default();
            let node = self.graph.find(used.node);
            let group = groups.entry((order, used.partial.clone())).or_default();
            group.push((Use { node, ..used }, first));
        }
        let mut variables = Vec::new();
        for ((order, partial), mut group) in groups {
            let Some((part, main, partials)) = codes.get(order) else {
                continue;
            };
            let code = partial.as_ref().map_or(Some(*main), |name| partials.get(&**name));
            let Some(code) = code else { continue };
            group.sort_by_key(|(used, first)| (first.at, used.node, used.usage));
            let mut seen = std::collections::HashSet::new();
            let mut reader = Reader::new(&code.source);
            for (used, first) in group {
                if !seen.insert((used.node, used.length, used.usage)) {
                    continue;
                }
                let path = self.graph.path(used.node);
                if path.is_empty() || !self.charge(1 + path.len() / 16) {
                    continue;
                }
                let (line, column) = reader.place(first.at);
                variables.push(Variable {
                    path: if used.length { path + ".length" } else { path },
                    name: first.name,
                    usage: used.usage,
                    required: self.required(used.node),
                    location: Location {
                        part: *part,
                        partial: partial.as_deref().map(str::to_owned),
                        line,
                        column,
                    },
                });
            }
        }
        variables
    }

    fn required(&self, node: NodeId) -> bool {
        match self.graph.node(node).and_then(|node| node.parent.as_ref()) {
            Some((parent, Step::Field(name))) => {
                let parent = self.graph.node(*parent);
                parent
                    .and_then(|parent| parent.fields.get(name))
                    .is_some_and(|field| field.required)
            }
            Some((_, Step::Item)) => true,
            None => false,
        }
    }

    /// Describes the data as a JSON Schema.
    pub(crate) fn schema(&self, title: Option<&str>) -> Value {
        let mut schema = Map::new();
        schema.insert(
            "$schema".to_owned(),
            "https://json-schema.org/draft/2020-12/schema".into(),
        );
        if let Some(title) = title {
            schema.insert("title".to_owned(), title.into());
        }
        if !self.complete() {
            schema.insert(
                "$comment".to_owned(),
                "The template is too intricate to be analysed as a whole.".into(),
            );
        }
        if let Some((name, location)) = &self.never {
            let text = format!("Whatever the data, it has no `{}` ({location}).", Shown(name));
            schema.entry("$comment").or_insert(text.into());
        }
        schema.extend(schema::schema(&self.graph));
        Value::Object(schema)
    }
}

/// One parsed source.
struct Source<'s> {
    code: &'s Code,
    body: Body<'s>,
}

impl<'s> Source<'s> {
    fn new(code: &'s Code, depth: usize) -> Option<Self> {
        let body = parse(&code.source, depth).ok()?;
        Some(Self { code, body })
    }
}

/// Finds lines and columns of places that come in order.
struct Reader<'s> {
    rest: &'s str,
    at: usize,
    line: usize,
    column: usize,
}

impl<'s> Reader<'s> {
    fn new(source: &'s str) -> Self {
        Self {
            rest: source,
            at: 0,
            line: 1,
            column: 1,
        }
    }

    fn place(&mut self, at: usize) -> (usize, usize) {
        if let Some((before, rest)) = self.rest.split_at_checked(at.saturating_sub(self.at)) {
            for c in before.chars() {
                if c == '\n' {
                    self.line += 1;
                    self.column = 1;
                } else {
                    self.column += 1;
                }
            }
            self.at += before.len();
            self.rest = rest;
        }
        (self.line, self.column)
    }
}
