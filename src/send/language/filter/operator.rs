//! The operators. There is no coercion: a number is not a string, and `Admin` is not `admin`.

use std::cmp::Ordering;
use std::net::IpAddr;

use ipnet::IpNet;
use regex::Regex;
use serde_json::value::RawValue;

use super::operand::Operand;
use super::words::{self, WORDS};
use crate::domain::json::Number;
use crate::send::language::pattern;

/// A compiled operator with its value.
#[derive(Debug)]
pub enum Operator {
    Equals(Operand),
    NotEquals(Operand),
    In(Vec<Operand>),
    NotIn(Vec<Operand>),
    /// The event's number compares to this one in one of these ways.
    Ordered(Number, &'static [Ordering]),
    /// From the first to the second, inclusive.
    Between(Number, Number),
    /// Between the first and the second, exclusive, as in TagoIO.
    Inside(Number, Number),
    Contains(Operand),
    NotContains(Operand),
    StartsWith(String),
    EndsWith(String),
    Matches(Box<Regex>),
    Exists,
    NotExists,
    Cidr(Vec<IpNet>),
}

impl Operator {
    /// The operator with that name and this value.
    ///
    /// # Errors
    /// The wrong member (`/operator` or `/value`), and what is allowed.
    pub fn compile(word: &str, value: Option<&RawValue>) -> Result<Self, (&'static str, String)> {
        if !WORDS.contains(&word) {
            return Err(("/operator", words::unknown(word)));
        }
        match (word, value) {
            ("exists" | "*", _) => return Ok(Self::Exists),
            ("not_exists", _) => return Ok(Self::NotExists),
            _ => {}
        }
        let value = value.ok_or_else(|| ("/value", format!("{word} needs a value")))?;
        Self::with_value(word, value).map_err(|why| ("/value", format!("{word} needs {why}")))
    }

    fn with_value(word: &str, value: &RawValue) -> Result<Self, String> {
        const LESS: &[Ordering] = &[Ordering::Less];
        const MORE: &[Ordering] = &[Ordering::Greater];
        const AT_MOST: &[Ordering] = &[Ordering::Less, Ordering::Equal];
        const AT_LEAST: &[Ordering] = &[Ordering::Greater, Ordering::Equal];
        let number = || Number::read(value.get()).ok_or_else(|| "a number".to_owned());
        let text = || serde_json::from_str::<String>(value.get()).map_err(|_| "a string".to_owned());
        Ok(match word {
            "equals" | "=" => Self::Equals(Operand::read(value)),
            "not_equals" | "!" => Self::NotEquals(Operand::read(value)),
            "in" => Self::In(operands(value)?),
            "not_in" => Self::NotIn(operands(value)?),
            "greater_than" | ">" => Self::Ordered(number()?, MORE),
            "greater_or_equal" => Self::Ordered(number()?, AT_LEAST),
            "less_than" | "<" => Self::Ordered(number()?, LESS),
            "less_or_equal" => Self::Ordered(number()?, AT_MOST),
            "between" => ends(value).map(|(low, high)| Self::Between(low, high))?,
            "><" => ends(value).map(|(low, high)| Self::Inside(low, high))?,
            "contains" => Self::Contains(Operand::read(value)),
            "not_contains" => Self::NotContains(Operand::read(value)),
            "starts_with" => Self::StartsWith(text()?),
            "ends_with" => Self::EndsWith(text()?),
            "matches" => Self::Matches(Box::new(pattern::compile(&text()?).map_err(unfit_pattern)?)),
            _ => Self::Cidr(ranges(value)?),
        })
    }

    /// Whether any value can match it.
    #[must_use]
    pub fn can_hold(&self) -> bool {
        match self {
            Self::In(operands) => !operands.is_empty(),
            Self::Cidr(ranges) => !ranges.is_empty(),
            Self::Inside(low, high) => low < high,
            _ => true,
        }
    }

    /// Whether the event's value matches.
    #[must_use]
    pub fn holds(&self, seen: Option<&RawValue>) -> bool {
        let Some(seen) = seen else { return matches!(self, Self::NotExists) };
        let text = || serde_json::from_str::<String>(seen.get()).ok();
        match self {
            Self::Exists => true,
            Self::NotExists => false,
            Self::Equals(operand) => *operand == Operand::read(seen),
            Self::NotEquals(operand) => *operand != Operand::read(seen),
            Self::In(operands) => operands.contains(&Operand::read(seen)),
            Self::NotIn(operands) => !operands.contains(&Operand::read(seen)),
            Self::Ordered(number, orders) => {
                Number::read(seen.get()).is_some_and(|seen| orders.contains(&seen.cmp(number)))
            }
            Self::Between(low, high) => {
                Number::read(seen.get()).is_some_and(|seen| seen >= *low && seen <= *high)
            }
            Self::Inside(low, high) => {
                Number::read(seen.get()).is_some_and(|seen| seen > *low && seen < *high)
            }
            Self::Contains(operand) => contains(operand, seen),
            Self::NotContains(operand) => !contains(operand, seen),
            Self::StartsWith(start) => text().is_some_and(|text| text.starts_with(start)),
            Self::EndsWith(end) => text().is_some_and(|text| text.ends_with(end)),
            Self::Matches(pattern) => text().is_some_and(|text| pattern.is_match(&text)),
            Self::Cidr(ranges) => {
                let address = text().and_then(|text| text.trim().parse::<IpAddr>().ok());
                address
                    .is_some_and(|address| ranges.iter().any(|range| range.contains(&address.to_canonical())))
            }
        }
    }
}

/// Whether a string contains that string, or a list that item.
fn contains(operand: &Operand, seen: &RawValue) -> bool {
    match (operand, Operand::read(seen)) {
        (operand, Operand::List(items)) => items.contains(operand),
        (Operand::Text(part), Operand::Text(text)) => text.contains(part),
        _ => false,
    }
}

fn operands(value: &RawValue) -> Result<Vec<Operand>, String> {
    let items: Vec<&RawValue> =
        serde_json::from_str(value.get()).map_err(|_| "a list, as [\"US\", \"CA\"]".to_owned())?;
    Ok(items.into_iter().map(Operand::read).collect())
}

fn ends(value: &RawValue) -> Result<(Number, Number), String> {
    let expected = || "two numbers, as [10, 20], the lower one first".to_owned();
    let ends: Vec<&RawValue> = serde_json::from_str(value.get()).map_err(|_| expected())?;
    let [low, high] = ends.as_slice() else { return Err(expected()) };
    let ends = Number::read(low.get()).zip(Number::read(high.get()));
    ends.filter(|(low, high)| low <= high).ok_or_else(expected)
}

fn unfit_pattern(why: String) -> String {
    format!("a regular expression; this one {why}")
}

fn ranges(value: &RawValue) -> Result<Vec<IpNet>, String> {
    let expected = || "an address or CIDR, or a list of them".to_owned();
    let one = serde_json::from_str::<String>(value.get()).map(|one| vec![one]);
    let texts = one.or_else(|_| serde_json::from_str::<Vec<String>>(value.get())).map_err(|_| expected())?;
    let range = |text: &String| {
        let text = text.trim();
        let net = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
        net.map(|net| net.trunc()).map_err(|_| expected())
    };
    texts.iter().map(range).collect()
}
