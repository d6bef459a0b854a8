//! What names mean at one place of a template: chains that places share.

use std::borrow::Cow;
use std::rc::Rc;

use super::shape::NodeId;
use crate::ast::{Body, Partial};
use crate::code::Code;

/// A link of a chain, innermost first.
#[derive(Debug)]
pub(super) struct Link<T> {
    pub(super) value: T,
    pub(super) outer: Chain<T>,
}

pub(super) type Chain<T> = Option<Rc<Link<T>>>;

pub(super) fn push<T>(chain: &mut Chain<T>, value: T) {
    let outer = chain.take();
    *chain = Some(Rc::new(Link { value, outer }));
}

pub(super) fn iter<T>(chain: &Chain<T>) -> impl Iterator<Item = &T> {
    std::iter::successors(chain.as_deref(), |link| link.outer.as_deref()).map(|link| &link.value)
}

/// What an expression can be known to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// A value of the data.
    Node(NodeId),
    /// An object with names added by a partial's call: index into the walker's list.
    Overlay(usize),
    /// A literal or a length: there is nothing below it.
    Scalar,
    /// Something that only rendering can tell.
    Nothing,
    /// Missing, whatever the data is: above all of it.
    Never,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Context {
    pub(super) value: Known,
    /// The value of the section that made it one.
    pub(super) section: Option<NodeId>,
}

#[derive(Debug)]
pub(super) struct Params<'a> {
    pub(super) names: &'a [Cow<'a, str>],
    pub(super) first: Known,
}

/// Inline partials that have names here, and what they see.
#[derive(Debug)]
pub(super) struct Scope<'a> {
    pub(super) inlines: Vec<(&'a str, &'a Body<'a>)>,
    pub(super) code: &'a Code,
    pub(super) contexts: Chain<Context>,
    pub(super) params: Chain<Params<'a>>,
}

/// The block that a partial was called with, and what it sees.
#[derive(Debug)]
pub(super) struct PartialBlock<'a> {
    pub(super) body: &'a Body<'a>,
    pub(super) code: &'a Code,
    pub(super) contexts: Chain<Context>,
    pub(super) params: Chain<Params<'a>>,
    pub(super) scopes: Chain<Scope<'a>>,
    pub(super) outer: Option<Rc<Self>>,
}

/// A field that is there and true wherever this is in force.
#[derive(Debug)]
pub(super) struct Guard {
    pub(super) object: NodeId,
    pub(super) name: Rc<str>,
}

/// A partial that is being called: its body, its context and its arguments.
#[derive(Debug)]
pub(super) struct Active<'a> {
    pub(super) body: *const Body<'a>,
    /// The tag that calls it.
    pub(super) site: *const Partial<'a>,
    pub(super) context: Known,
    pub(super) arguments: Vec<Known>,
    /// The block that it was given, or had before.
    pub(super) block: Option<*const Body<'a>>,
}

/// Everything that names mean at one place.
#[derive(Clone, Debug)]
pub(super) struct Place<'a> {
    pub(super) code: &'a Code,
    pub(super) contexts: Chain<Context>,
    /// What the loops run over.
    pub(super) loops: Chain<Known>,
    pub(super) params: Chain<Params<'a>>,
    pub(super) scopes: Chain<Scope<'a>>,
    pub(super) block: Option<Rc<PartialBlock<'a>>>,
    pub(super) guards: Chain<Guard>,
    pub(super) calls: Chain<Active<'a>>,
}

impl Place<'_> {
    pub(super) fn context(&self) -> Known {
        self.contexts.as_ref().map_or(Known::Never, |link| link.value.value)
    }

    /// Makes `value` the context; the same value again is no new level.
    pub(super) fn set_context(&mut self, value: Known) {
        if matches!(value, Known::Scalar | Known::Nothing | Known::Never)
            || self.contexts.is_none()
            || self.context() != value
        {
            push(&mut self.contexts, Context { value, section: None });
        }
    }
}
