//! Writes what was found as a JSON Schema.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::shape::{Graph, Node, NodeId, ROOT};
use crate::code::array_index;

/// Longer lists of items at known places are described by all their items together.
const LONGEST_PREFIX: u32 = 100;
/// Schemas nest no deeper, whatever was found.
const DEEPEST: usize = 150;

/// Describes the data.
pub(super) fn schema(graph: &Graph) -> Map<String, Value> {
    let mut writer = Writer {
        graph,
        names: BTreeMap::new(),
        written: BTreeMap::new(),
        depth: 0,
    };
    let mut schema = writer.describe(ROOT, false);
    if !writer.written.is_empty() {
        schema.insert("$defs".to_owned(), Value::Object(writer.written.into_iter().collect()));
    }
    schema
}

struct Writer<'g> {
    graph: &'g Graph,
    /// Under which names shared nodes are defined.
    names: BTreeMap<(NodeId, bool), String>,
    written: BTreeMap<String, Value>,
    depth: usize,
}

impl Writer<'_> {
    /// The schema of a node, or a reference to it. `section` says that it is what a section is opened with.
    fn node(&mut self, id: NodeId, section: bool) -> Value {
        let id = self.graph.find(id);
        if id == ROOT {
            return json!({"$ref": "#"});
        }
        if !self.graph.node(id).is_some_and(|node| node.shared) {
            return Value::Object(self.describe(id, section));
        }
        if let Some(name) = self.names.get(&(id, section)) {
            return json!({"$ref": format!("#/$defs/{name}")});
        }
        let name = format!("part{}", self.names.len() + 1);
        self.names.insert((id, section), name.clone());
        let schema = self.describe(id, section);
        self.written.insert(name.clone(), Value::Object(schema));
        json!({"$ref": format!("#/$defs/{name}")})
    }

    fn describe(&mut self, id: NodeId, section: bool) -> Map<String, Value> {
        let Some(node) = self.graph.node(id).filter(|_| self.depth < DEEPEST) else {
            return Map::new();
        };
        self.depth += 1;
        let schema = if id == ROOT {
            self.object(node)
        } else if node.section && node.scoped && node.fields.is_empty() {
            self.section(node)
        } else {
            self.value(node, section)
        };
        self.depth -= 1;
        schema
    }

    /// A list, an object or a value that is entered, or something that is not there.
    fn section(&mut self, node: &Node) -> Map<String, Value> {
        let inner = match node.items {
            Some(items) => self.node(items, true),
            None => json!({}),
        };
        let list = json!({"type": "array", "items": inner});
        // Of `true` nothing would be entered, and names would mean something else.
        let mut forms = vec![json!({"enum": [false, null]}), list];
        if !(node.looped || node.measured) {
            forms.push(inner);
        }
        Map::from_iter([("anyOf".to_owned(), Value::Array(forms))])
    }

    fn value(&mut self, node: &Node, section: bool) -> Map<String, Value> {
        let indices: Option<Vec<u32>> = node.fields.keys().map(|name| array_index(name)).collect();
        let (mut schema, mut types) = if node.fields.is_empty() && node.looped {
            (
                self.list(node, &[]),
                if node.keyed && !node.measured {
                    vec!["array", "object"]
                } else {
                    vec!["array"]
                },
            )
        } else if let Some(indices) = indices.filter(|indices| !indices.is_empty()) {
            (self.list(node, &indices), vec!["array"])
        } else if !node.fields.is_empty() {
            (self.object(node), vec!["object"])
        } else if node.measured {
            (Map::new(), vec!["array", "string"])
        } else if node.printed && section {
            (Map::new(), vec!["string", "number"])
        } else if node.printed {
            (Map::new(), vec!["string", "number", "boolean"])
        } else if node.passed && !section {
            (Map::new(), vec!["string", "number", "boolean", "array", "object"])
        } else if section {
            (Map::new(), vec!["string", "number", "object"])
        } else {
            return Map::new();
        };
        if !node.needed && !section {
            types.push("null");
        }
        let written = match types.as_slice() {
            [only] => json!(only),
            several => json!(several),
        };
        schema.insert("type".to_owned(), written);
        schema
    }

    fn list(&mut self, node: &Node, indices: &[u32]) -> Map<String, Value> {
        let mut schema = Map::new();
        let required = node
            .fields
            .iter()
            .filter(|(_, field)| field.required || !field.with.is_empty());
        let least = required
            .filter_map(|(name, _)| array_index(name))
            .max()
            .map(|index| u64::from(index) + 1);
        if let Some(least) = least {
            schema.insert("minItems".to_owned(), json!(least));
        }
        let last = indices.iter().max().copied().unwrap_or_default();
        // Items that are looped over are all alike, wherever they are.
        if !indices.is_empty() && last < LONGEST_PREFIX && !node.looped {
            let items = (0..=last).map(|index| match node.fields.get(&*index.to_string()) {
                Some(field) => self.node(field.node, false),
                None => json!({}),
            });
            let items: Vec<Value> = items.collect();
            schema.insert("prefixItems".to_owned(), Value::Array(items));
        }
        if let Some(items) = node.items {
            let items = self.node(items, false);
            if node.keyed {
                schema.insert("additionalProperties".to_owned(), items.clone());
            }
            schema.insert("items".to_owned(), items);
        }
        schema
    }

    fn object(&mut self, node: &Node) -> Map<String, Value> {
        let mut schema = Map::from_iter([("type".to_owned(), json!("object"))]);
        let mut properties = Map::new();
        let mut required = Vec::new();
        let mut together: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (name, field) in &node.fields {
            properties.insert(name.to_string(), self.node(field.node, false));
            if field.required {
                required.push(&**name);
            } else {
                for with in &field.with {
                    together.entry(with).or_default().insert(name);
                }
            }
        }
        if node.measured {
            properties
                .entry("length")
                .or_insert_with(|| json!({"type": ["number", "string"]}));
            if !required.contains(&"length") {
                required.push("length");
            }
        }
        if !properties.is_empty() {
            schema.insert("properties".to_owned(), Value::Object(properties));
        }
        if !required.is_empty() {
            schema.insert("required".to_owned(), json!(required));
        }
        if !together.is_empty() {
            schema.insert("dependentRequired".to_owned(), json!(together));
        }
        if let Some(items) = node.items.filter(|_| node.looped) {
            let items = self.node(items, false);
            schema.insert("additionalProperties".to_owned(), items);
        }
        schema
    }
}
