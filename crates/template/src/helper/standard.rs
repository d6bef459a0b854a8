//! The common helpers.

use std::cmp::Ordering;

use serde_json::Value;

use super::{Argument, Arguments, HelperError, Helpers, Output};
use crate::value::Val;

const ANY: usize = usize::MAX;

pub(super) fn helpers() -> Helpers {
    Helpers::new()
        .inline_tolerant("eq", equal)
        .inline_tolerant("ne", |arguments| equal(arguments).map(|equal| !equal))
        .inline("lt", |arguments| compare(arguments).map(Ordering::is_lt))
        .inline("lte", |arguments| compare(arguments).map(Ordering::is_le))
        .inline("gt", |arguments| compare(arguments).map(Ordering::is_gt))
        .inline("gte", |arguments| compare(arguments).map(Ordering::is_ge))
        .inline_tolerant("and", |arguments| first(arguments, |argument| !argument.is_true()))
        .inline_tolerant("or", |arguments| first(arguments, |argument| argument.is_true()))
        .inline_tolerant("not", |arguments| {
            arguments.expect(1..=1, &[])?;
            Ok(!arguments.get(0).is_true())
        })
        .inline_tolerant("default", |arguments| {
            first(arguments, |argument| {
                !argument.is_nothing() && argument.as_str() != Some("")
            })
        })
        .inline("upper", |arguments| text(arguments, str::to_uppercase))
        .inline("lower", |arguments| text(arguments, str::to_lowercase))
        .inline("trim", |arguments| text(arguments, |text| text.trim().to_owned()))
        .inline("join", join)
        .inline("number", number)
}

fn equal(arguments: &Arguments<'_>) -> Result<bool, HelperError> {
    arguments.expect(2..=2, &[])?;
    let (a, b) = (arguments.get(0), arguments.get(1));
    Ok(match (a.as_f64(), b.as_f64()) {
        (Some(x), Some(y)) => match (a.as_u64(), b.as_u64()) {
            // Integers of 64 bits with all their digits.
            (Some(a), Some(b)) => a == b,
            _ => x == y,
        },
        _ => a.0.is_same(b.0),
    })
}

fn compare(arguments: &Arguments<'_>) -> Result<Ordering, HelperError> {
    arguments.expect(2..=2, &[])?;
    let (a, b) = (arguments.get(0), arguments.get(1));
    for (index, argument) in [a, b].into_iter().enumerate() {
        if argument.is_nothing() {
            return Err(HelperError::missing(index));
        }
    }
    let order = match (a.as_str(), b.as_str()) {
        (Some(a), Some(b)) => Some(a.cmp(b)),
        _ => match (a.as_i64(), b.as_i64()) {
            (Some(a), Some(b)) => Some(a.cmp(&b)),
            _ => a.as_f64().and_then(|a| a.partial_cmp(&b.as_f64()?)),
        },
    };
    order.ok_or_else(|| HelperError::new("compares two numbers or two texts"))
}

/// The first argument that is `wanted`, or else the last.
fn first(arguments: &Arguments<'_>, wanted: impl Fn(Argument<'_>) -> bool) -> Result<Output, HelperError> {
    arguments.expect(1..=ANY, &[])?;
    let found = arguments.iter().position(wanted);
    Ok(Output::argument(found.unwrap_or(arguments.len() - 1)))
}

fn text(arguments: &Arguments<'_>, change: impl Fn(&str) -> String) -> Result<String, HelperError> {
    arguments.expect(1..=1, &[])?;
    Ok(change(&arguments.text(0)?))
}

fn join(arguments: &Arguments<'_>) -> Result<String, HelperError> {
    arguments.expect(1..=2, &["last"])?;
    if arguments.get(0).is_nothing() {
        return Err(HelperError::missing(0));
    }
    let Some(items) = arguments.get(0).as_array() else {
        return Err(HelperError::new("argument 1 is no array"));
    };
    let between = match arguments.len() {
        1 => ", ".into(),
        _ => arguments.text(1)?,
    };
    let last = arguments.named("last").to_text().unwrap_or_else(|| between.clone());
    let mut out = String::new();
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push_str(if index + 1 == items.len() { &last } else { &between });
        }
        match item {
            Value::Null => {}
            item => {
                let text = Argument(Val::Json(item)).to_text();
                out.push_str(&text.ok_or("an item is an array or object")?);
            }
        }
        if out.len() > arguments.room() {
            return Err(HelperError::too_long());
        }
    }
    Ok(out)
}

fn number(arguments: &Arguments<'_>) -> Result<String, HelperError> {
    const MOST_DECIMALS: u64 = 20;
    arguments.expect(1..=1, &["decimals", "point", "group"])?;
    let number = arguments.number(0)?;
    let decimals = match arguments.named("decimals") {
        none if none.is_missing() => 0,
        given => {
            let given = given.as_u64().filter(|given| *given <= MOST_DECIMALS);
            usize::try_from(given.ok_or("`decimals` is a whole number from 0 to 20")?).unwrap_or_default()
        }
    };
    let written = match arguments.get(0).as_i64() {
        // All digits of an integer, however many.
        Some(whole) if decimals == 0 => whole.to_string(),
        _ if number.is_finite() => format!("{number:.decimals$}"),
        _ => return Err(HelperError::new("the number is not finite")),
    };
    let (sign, written) = match written.strip_prefix('-') {
        // What rounds to zero has no sign.
        Some(rest) if rest.bytes().any(|digit| matches!(digit, b'1'..=b'9')) => ("-", rest),
        Some(rest) => ("", rest),
        None => ("", written.as_str()),
    };
    let (whole, fraction) = written.split_once('.').unwrap_or((written, ""));
    let group = arguments.named("group").to_text().unwrap_or_default();
    let mut out = sign.to_owned();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            out.push_str(&group);
        }
        out.push(digit);
    }
    if !fraction.is_empty() {
        out.push_str(arguments.named("point").to_text().as_deref().unwrap_or("."));
        out.push_str(fraction);
    }
    Ok(out)
}
