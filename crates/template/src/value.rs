//! Values as JavaScript would see them: truth, equality and text.

use std::fmt::Write as _;

use serde_json::Value;

/// A value while rendering: borrowed from the data, or made by the template.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Val<'a> {
    /// Not there at all.
    Missing,
    Json(&'a Value),
    Text(&'a str),
    Number(f64),
    Index(usize),
    Bool(bool),
    Null,
    /// An object with names added by a partial's call: index into the renderer's list.
    Overlay(u32),
    /// The data of one rendering laid over its defaults.
    Merged,
    /// Something that is there but has no text of its own.
    Opaque,
}

impl<'a> Val<'a> {
    /// Looks at a scalar in the data as if the template had made it.
    pub(crate) fn scalar(self) -> Self {
        match self {
            Val::Json(Value::Null) => Val::Null,
            Val::Json(Value::Bool(value)) => Val::Bool(*value),
            Val::Json(Value::String(text)) => Val::Text(text),
            other => other,
        }
    }

    pub(crate) fn is_nothing(self) -> bool {
        matches!(self, Val::Missing | Val::Null | Val::Json(Value::Null))
    }

    fn is_zero(self) -> bool {
        match self {
            Val::Number(number) => number == 0.0,
            Val::Index(index) => index == 0,
            Val::Json(Value::Number(number)) => number.as_f64() == Some(0.0),
            _ => false,
        }
    }

    /// Whether `if` takes it for false: false, nothing, "", NaN, an empty array, and zero unless it counts.
    pub(crate) fn is_empty(self, include_zero: bool) -> bool {
        match self.scalar() {
            Val::Missing | Val::Null => true,
            Val::Bool(value) => !value,
            Val::Text(text) => text.is_empty(),
            Val::Json(Value::Array(items)) => items.is_empty(),
            Val::Number(number) if number.is_nan() => true,
            other => !include_zero && other.is_zero(),
        }
    }

    /// Whether both are the same object, or equal scalars.
    #[inline]
    pub(crate) fn is_same(self, other: Self) -> bool {
        match (self, other) {
            (Val::Json(a @ (Value::Array(_) | Value::Object(_))), Val::Json(b)) => std::ptr::eq(a, b),
            _ => self.is_equal(other),
        }
    }

    fn is_equal(self, other: Self) -> bool {
        match (self.scalar(), other.scalar()) {
            (Val::Json(a), Val::Json(b)) => std::ptr::eq(a, b) || (a.is_number() && a == b),
            (Val::Text(a), Val::Text(b)) => a == b,
            (Val::Number(a), Val::Number(b)) => a == b,
            (Val::Index(a), Val::Index(b)) => a == b,
            (Val::Bool(a), Val::Bool(b)) => a == b,
            (Val::Missing | Val::Null, Val::Missing | Val::Null) => true,
            (Val::Overlay(a), Val::Overlay(b)) => a == b,
            (Val::Merged, Val::Merged) => true,
            _ => false,
        }
    }
}

/// Writes a number as JavaScript does, except that integers of 64 bits keep all their digits.
pub(crate) fn write_number(out: &mut String, number: &serde_json::Number) {
    if let Some(number) = number.as_u64() {
        return write_integer(out, number);
    }
    if let Some(number) = number.as_i64() {
        out.push('-');
        return write_integer(out, number.unsigned_abs());
    }
    if number.as_f64().is_some_and(|number| write_hundredths(out, number)) {
        return;
    }
    let start = out.len();
    // Writing to a String cannot fail.
    let _ = write!(out, "{number}");
    let Some(float) = number.as_f64().filter(|_| number.is_f64()) else {
        return;
    };
    // What JSON writes is shortest too, but `1.0` for 1, and exponents of its own kind.
    let written = out.get(start..).unwrap_or_default();
    if written.contains(['e', 'E']) || float == 0.0 {
        out.truncate(start);
        write_f64(out, float);
    } else if written.ends_with(".0") {
        out.truncate(out.len() - 2);
    }
}

/// Writes the digits of `number`.
#[inline]
pub(crate) fn write_integer(out: &mut String, number: u64) {
    match u8::try_from(number) {
        Ok(digit @ 0..10) => out.push(char::from(b'0' + digit)),
        Ok(number @ 10..100) => {
            out.push(char::from(b'0' + number / 10));
            out.push(char::from(b'0' + number % 10));
        }
        _ => write_digits(out, number),
    }
}

fn write_digits(out: &mut String, mut number: u64) {
    const LONGEST: usize = 20;
    let mut digits = [b'0'; LONGEST];
    let mut length = 0;
    for digit in digits.iter_mut().rev() {
        // What is left of a number is less than ten here.
        *digit = b'0' + u8::try_from(number % 10).unwrap_or_default();
        number /= 10;
        length += 1;
        if number == 0 {
            break;
        }
    }
    let digits = digits.get(LONGEST - length..).unwrap_or_default();
    out.push_str(str::from_utf8(digits).unwrap_or_default());
}

/// Writes a number that has at most two decimals, as prices do; false if it is none.
///
/// A decimal number of at most 15 digits that rounds to `number` is also the shortest that does.
fn write_hundredths(out: &mut String, number: f64) -> bool {
    let hundredths = (number * 100.0).round();
    if hundredths == 0.0 || hundredths.abs() >= 1e15 || hundredths / 100.0 != number {
        return false;
    }
    if hundredths < 0.0 {
        out.push('-');
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a whole number below 1e15"
    )]
    let hundredths = hundredths.abs() as u64;
    write_integer(out, hundredths / 100);
    if !hundredths.is_multiple_of(100) {
        out.push('.');
        write_integer(out, hundredths / 10 % 10);
        if !hundredths.is_multiple_of(10) {
            write_integer(out, hundredths % 10);
        }
    }
    true
}

/// Writes a floating point number as JavaScript does: `1`, `0.5`, `1e+21`, `1e-7`.
pub(crate) fn write_f64(out: &mut String, number: f64) {
    let magnitude = number.abs();
    let _ = if number == 0.0 {
        out.write_char('0')
    } else if number.is_nan() {
        out.write_str("NaN")
    } else if number.is_infinite() {
        out.write_str(if number > 0.0 { "Infinity" } else { "-Infinity" })
    } else if (1e-6..1e21).contains(&magnitude) {
        write!(out, "{number}")
    } else {
        let text = format!("{number:e}");
        match text.split_once('e') {
            Some((digits, exponent)) if !exponent.starts_with('-') => write!(out, "{digits}e+{exponent}"),
            _ => out.write_str(&text),
        }
    };
}

/// Length of a text in UTF-16 units, as JavaScript counts.
pub(crate) fn utf16_length(text: &str) -> usize {
    if text.is_ascii() {
        text.len()
    } else {
        text.encode_utf16().count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(number: f64, expected: &str) {
        let mut out = String::new();
        write_f64(&mut out, number);
        assert_eq!(out, expected);
    }

    #[test]
    fn numbers_look_like_javascript() {
        check(1.0, "1");
        check(-0.0, "0");
        check(0.1 + 0.2, "0.30000000000000004");
        check(1e20, "100000000000000000000");
        check(1e21, "1e+21");
        check(1.5e300, "1.5e+300");
        check(0.000_001, "0.000001");
        check(0.000_000_1, "1e-7");
        check(-1.25e-9, "-1.25e-9");
        check(12_345_678_901_234_567_890_123.0, "1.2345678901234568e+22");
    }

    #[test]
    fn numbers_in_data_look_the_same() {
        for number in [
            1.0,
            -0.0,
            0.5,
            1e15,
            1e16,
            1.5e17,
            1e20,
            1e21,
            1e-5,
            1e-6,
            1.25e-7,
            f64::MAX,
            f64::MIN_POSITIVE,
        ] {
            let (mut json, mut direct) = (String::new(), String::new());
            write_number(&mut json, &serde_json::Number::from_f64(number).unwrap());
            write_f64(&mut direct, number);
            assert_eq!(json, direct);
        }
    }

    #[test]
    fn decimals_are_the_shortest() {
        for hundredths in (-2_000_i32..2_000).chain([99_999_999, 100_000_001, i32::MAX]) {
            for number in [f64::from(hundredths) / 100.0, f64::from(hundredths) / 100.0 + 1e-9] {
                let mut out = String::new();
                write_number(&mut out, &serde_json::Number::from_f64(number).unwrap());
                check(number, &out);
            }
        }
    }

    #[test]
    fn integers_keep_their_digits() {
        let mut out = String::new();
        write_number(&mut out, &serde_json::Number::from(u64::MAX));
        assert_eq!(out, "18446744073709551615");
    }

    #[test]
    fn emptiness_is_handlebars_emptiness() {
        let value = serde_json::json!([0, "", [], {}, null, false, "0", [0], 0.0]);
        let empty: Vec<bool> = value
            .as_array()
            .unwrap()
            .iter()
            .map(|v| Val::Json(v).is_empty(false))
            .collect();
        assert_eq!(empty, [true, true, true, false, true, true, false, false, true]);
        assert!(!Val::Json(&value[0]).is_empty(true));
    }
}
