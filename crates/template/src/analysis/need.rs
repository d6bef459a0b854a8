//! Says what must be there, where it is used, and what a question has settled.

use std::collections::hash_map::Entry;
use std::rc::Rc;

use super::scope::{Guard, Known, Place, iter, push};
use super::shape::{NodeId, Step};
use super::walk::Walker;
use super::{First, Use};
use crate::variable::Usage;

impl<'a> Walker<'a, '_> {
    #[expect(clippy::too_many_arguments, reason = "what is used, how, and where")]
    pub(super) fn use_node(
        &mut self,
        node: NodeId,
        length: bool,
        usage: Usage,
        required: bool,
        at: usize,
        name: &str,
        place: &Place<'a>,
    ) {
        if !length {
            self.analysis.graph.change(node, |node| match usage {
                Usage::Printed => node.printed = true,
                Usage::Looped => node.looped = true,
                Usage::Section => node.section = true,
                Usage::Passed if required => node.passed = true,
                _ => node.tested = true,
            });
        }
        if required {
            self.require(node, place);
        }
        self.record(node, length, usage, at, name, place);
    }

    pub(super) fn record(
        &mut self,
        node: NodeId,
        length: bool,
        usage: Usage,
        at: usize,
        name: &str,
        place: &Place<'a>,
    ) {
        let used = Use {
            part: self.options.part,
            partial: place.code.partial.clone(),
            node: self.analysis.graph.find(node),
            length,
            usage,
        };
        match self.analysis.uses.entry(used) {
            Entry::Occupied(mut known) if known.get().at > at => {
                known.insert(First {
                    at,
                    name: name.to_owned(),
                });
            }
            Entry::Occupied(_) => return,
            Entry::Vacant(new) => {
                new.insert(First {
                    at,
                    name: name.to_owned(),
                });
            }
        }
        self.analysis.charge(name.len() / 64);
    }

    /// Says that the value must be there at this place, and with it whatever holds it.
    pub(super) fn require(&mut self, node: NodeId, place: &Place<'a>) {
        let mut at = self.analysis.graph.find(node);
        loop {
            let guards = iter(&place.guards).count();
            if !self.analysis.charge(1 + guards / 4) {
                return;
            }
            let graph = &mut self.analysis.graph;
            let parent = graph.node(at).and_then(|node| node.parent.clone());
            let Some((object, Step::Field(name))) = parent else {
                // All the data, or an item of a list: it is there if anything is.
                graph.change(at, |node| node.needed = true);
                return;
            };
            let object = graph.find(object);
            let mut beside = iter(&place.guards).filter(|guard| graph.find(guard.object) == object);
            let first = beside.next();
            if first.into_iter().chain(beside).any(|guard| guard.name == name) {
                // Somebody has asked.
                return;
            }
            let with = first.map(|guard| Rc::clone(&guard.name));
            graph.change(at, |node| node.needed = true);
            graph.change(object, |object| {
                if let Some(field) = object.fields.get_mut(&name) {
                    match with {
                        None => field.required = true,
                        Some(with) => drop(field.with.insert(with)),
                    }
                }
            });
            at = object;
        }
    }

    /// Says that behind this, `value` is there.
    pub(super) fn guard(&mut self, value: Known, place: &mut Place<'a>) {
        let Known::Node(mut at) = value else { return };
        while let Some((object, Step::Field(name))) = self.analysis.graph.node(at).and_then(|node| node.parent.clone())
        {
            if !self.analysis.charge(1) {
                return;
            }
            push(&mut place.guards, Guard { object, name });
            at = object;
        }
    }
}
