//! What the data of a template looks like, as far as its use tells: a graph of objects, lists and values.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

pub(super) type NodeId = usize;

/// The data itself.
pub(super) const ROOT: NodeId = 0;

/// Deeper data is not looked at: JSON of such a depth is hardly ever accepted.
const DEEPEST: usize = 64;

/// One value of the data, or all items of a list at once.
#[derive(Debug, Default)]
pub(super) struct Node {
    /// How it is reached; nothing for the data itself.
    pub(super) parent: Option<(NodeId, Step)>,
    depth: usize,
    pub(super) fields: BTreeMap<Rc<str>, Field>,
    pub(super) items: Option<NodeId>,
    pub(super) printed: bool,
    pub(super) tested: bool,
    pub(super) looped: bool,
    /// Looped over with an eye on the names of the items.
    pub(super) keyed: bool,
    pub(super) passed: bool,
    /// Asked for its length.
    pub(super) measured: bool,
    /// Opened as `{{#name}}`: a list, an object or a condition.
    pub(super) section: bool,
    /// Whether it matters in such a section that the context changes.
    pub(super) scoped: bool,
    /// Whether something uses it that nobody asked for first: it cannot be `null` then.
    pub(super) needed: bool,
    /// Whether it stands for what was taken for several values at first.
    pub(super) shared: bool,
}

impl Node {
    /// Makes fields required that go with required ones.
    fn settle(&mut self) {
        let mut beside: BTreeMap<Rc<str>, Vec<Rc<str>>> = BTreeMap::new();
        for (name, field) in self.fields.iter().filter(|(_, field)| !field.required) {
            for with in &field.with {
                beside.entry(Rc::clone(with)).or_default().push(Rc::clone(name));
            }
        }
        let required = self.fields.iter().filter(|(_, field)| field.required);
        let mut required: Vec<Rc<str>> = required.map(|(name, _)| Rc::clone(name)).collect();
        while let Some(name) = required.pop() {
            for other in beside.remove(&name).unwrap_or_default() {
                if let Some(field) = self.fields.get_mut(&other).filter(|field| !field.required) {
                    field.required = true;
                    required.push(other);
                }
            }
        }
    }
}

#[derive(Debug)]
pub(super) struct Field {
    pub(super) node: NodeId,
    pub(super) required: bool,
    /// Names beside it that make it required.
    pub(super) with: BTreeSet<Rc<str>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Field(Rc<str>),
    /// Any item of a list; one at a known place is a field.
    Item,
}

#[derive(Debug)]
pub(super) struct Graph {
    nodes: Vec<Node>,
    /// What each node has become, if it was found to be the same as another.
    alias: Vec<NodeId>,
}

impl Graph {
    pub(super) fn new() -> Self {
        Self {
            nodes: vec![Node::default()],
            alias: vec![ROOT],
        }
    }

    pub(super) fn find(&self, mut id: NodeId) -> NodeId {
        while let Some(&next) = self.alias.get(id).filter(|next| **next != id) {
            id = next;
        }
        id
    }

    pub(super) fn node(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(self.find(id))
    }

    /// Changes a node; all ids come from this graph, so there is one.
    pub(super) fn change(&mut self, id: NodeId, change: impl FnOnce(&mut Node)) {
        let id = self.find(id);
        if let Some(node) = self.nodes.get_mut(id) {
            change(node);
        }
    }

    fn add(&mut self, parent: NodeId, step: Step) -> Option<NodeId> {
        let depth = self.node(parent)?.depth + 1;
        if depth > DEEPEST {
            return None;
        }
        let id = self.nodes.len();
        self.nodes.push(Node {
            parent: Some((parent, step)),
            depth,
            ..Node::default()
        });
        self.alias.push(id);
        Some(id)
    }

    /// The field `name` of `object`; nothing if that is too deep.
    pub(super) fn field(&mut self, object: NodeId, name: &str) -> Option<NodeId> {
        let object = self.find(object);
        if let Some(field) = self.node(object)?.fields.get(name) {
            return Some(self.find(field.node));
        }
        let name: Rc<str> = name.into();
        let node = self.add(object, Step::Field(Rc::clone(&name)))?;
        let field = Field {
            node,
            required: false,
            with: BTreeSet::new(),
        };
        self.change(object, |object| {
            object.fields.insert(name, field);
        });
        Some(node)
    }

    /// The items of `list`, all at once.
    pub(super) fn items(&mut self, list: NodeId) -> Option<NodeId> {
        let list = self.find(list);
        if let Some(items) = self.node(list)?.items {
            return Some(self.find(items));
        }
        let items = self.add(list, Step::Item)?;
        self.change(list, |list| list.items = Some(items));
        Some(items)
    }

    /// Makes one of two nodes that have turned out to be alike.
    pub(super) fn unify(&mut self, a: NodeId, b: NodeId) {
        let mut pairs = vec![(a, b)];
        while let Some((a, b)) = pairs.pop() {
            let (a, b) = (self.find(a), self.find(b));
            if a == b {
                continue;
            }
            let depth = |id| self.node(id).map_or(0, |node| node.depth);
            // The outer one stays: so there is always a way up to the data itself.
            let (kept, gone) = if depth(a) <= depth(b) { (a, b) } else { (b, a) };
            let Some(gone_node) = self.nodes.get_mut(gone).map(std::mem::take) else {
                continue;
            };
            if let Some(alias) = self.alias.get_mut(gone) {
                *alias = kept;
            }
            let Some(kept) = self.nodes.get_mut(kept) else { continue };
            for (name, field) in gone_node.fields {
                match kept.fields.get_mut(&name) {
                    None => {
                        kept.fields.insert(name, field);
                    }
                    Some(known) => {
                        known.required |= field.required;
                        known.with.extend(field.with);
                        pairs.push((known.node, field.node));
                    }
                }
            }
            match (kept.items, gone_node.items) {
                (Some(a), Some(b)) => pairs.push((a, b)),
                (a, b) => kept.items = a.or(b),
            }
            kept.printed |= gone_node.printed;
            kept.tested |= gone_node.tested;
            kept.looped |= gone_node.looped;
            kept.keyed |= gone_node.keyed;
            kept.passed |= gone_node.passed;
            kept.measured |= gone_node.measured;
            kept.section |= gone_node.section;
            kept.scoped |= gone_node.scoped;
            kept.needed |= gone_node.needed;
            kept.shared = true;
        }
    }

    /// The path of a node from the data on, as `order.items[].title`; long names are cut short.
    pub(super) fn path(&self, id: NodeId) -> String {
        let mut steps = Vec::new();
        let mut at = self.node(id);
        while let Some((parent, step)) = at.and_then(|node| node.parent.as_ref()) {
            steps.push(step);
            at = self.node(*parent);
        }
        let mut path = String::new();
        for step in steps.into_iter().rev() {
            match step {
                Step::Item => path.push_str("[]"),
                Step::Field(name) => {
                    if !path.is_empty() {
                        path.push('.');
                    }
                    let plain = name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'));
                    let name = crate::error::shortened(name);
                    if plain {
                        path.push_str(&name);
                    } else {
                        path.push_str(&format!("[{}]", name.replace(']', "\\]")));
                    }
                }
            }
        }
        path
    }

    /// Settles what can only be one thing: fields of an object that is looped over are its items too, and a section over
    /// an object shows that object.
    ///
    /// False if that leads too far.
    pub(super) fn settle(&mut self) -> bool {
        const MOST_ROUNDS: usize = 32;
        for _ in 0..MOST_ROUNDS {
            let mut alike = Vec::new();
            for (id, node) in self.nodes.iter().enumerate() {
                let Some(items) = node.items.filter(|_| self.find(id) == id) else {
                    continue;
                };
                if node.looped {
                    alike.extend(node.fields.values().map(|field| (field.node, items)));
                }
                if node.section && node.scoped && !(node.fields.is_empty() && id != ROOT) {
                    alike.push((id, items));
                }
            }
            alike.retain(|(a, b)| self.find(*a) != self.find(*b));
            if alike.is_empty() {
                self.nodes.iter_mut().for_each(Node::settle);
                return true;
            }
            for (a, b) in alike {
                self.unify(a, b);
            }
        }
        false
    }
}
