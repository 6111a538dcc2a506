//! The operators. Nothing is coerced: a number is no text, and `Admin` is not `admin`.

use std::cmp::Ordering;
use std::net::IpAddr;

use ipnet::IpNet;
use regex::{Regex, RegexBuilder};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::domain::json::Number;
use crate::domain::suggestion;

/// The most bytes of a compiled pattern.
const MAX_PATTERN: usize = 1 << 20;
/// Every operator, the usual ones and TagoIO's.
const WORDS: [&str; 22] = [
    "equals",
    "not_equals",
    "in",
    "not_in",
    "greater_than",
    "greater_or_equal",
    "less_than",
    "less_or_equal",
    "between",
    "contains",
    "starts_with",
    "ends_with",
    "matches",
    "exists",
    "not_exists",
    "cidr",
    "=",
    "!",
    ">",
    "<",
    "><",
    "*",
];

/// A compiled operator with its value.
#[derive(Debug)]
pub enum Operator {
    Equals(Operand),
    NotEquals(Operand),
    In(Vec<Operand>),
    NotIn(Vec<Operand>),
    /// The order in which the seen number stands to this one is one of these.
    Ordered(Number, &'static [Ordering]),
    /// Both ends belong to it.
    Between(Number, Number),
    Contains(Operand),
    StartsWith(String),
    EndsWith(String),
    Matches(Box<Regex>),
    Exists,
    NotExists,
    Cidr(Vec<IpNet>),
}

/// A value to be compared with.
#[derive(Clone, Debug, PartialEq)]
pub enum Operand {
    Number(Number),
    Other(Value),
}

impl Operand {
    fn read(raw: &RawValue) -> Self {
        match Number::read(raw.get()) {
            Some(number) => Self::Number(number),
            None => Self::Other(serde_json::from_str(raw.get()).unwrap_or_default()),
        }
    }

    fn equals(&self, seen: &RawValue) -> bool {
        *self == Self::read(seen)
    }
}

impl Operator {
    /// The operator of that word with this value.
    ///
    /// # Errors
    /// The member that is wrong (`/operator` or `/value`), and what is allowed.
    pub fn compile(word: &str, value: Option<&RawValue>) -> Result<Self, (&'static str, String)> {
        if !WORDS.contains(&word) {
            let near = suggestion(word, WORDS.into_iter());
            return Err(("/operator", format!("{word:?} is no operator{near}; one of {}", WORDS.join(", "))));
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
        let text = || serde_json::from_str::<String>(value.get()).map_err(|_| "a text".to_owned());
        Ok(match word {
            "equals" | "=" => Self::Equals(Operand::read(value)),
            "not_equals" | "!" => Self::NotEquals(Operand::read(value)),
            "in" => Self::In(operands(value)?),
            "not_in" => Self::NotIn(operands(value)?),
            "greater_than" | ">" => Self::Ordered(number()?, MORE),
            "greater_or_equal" => Self::Ordered(number()?, AT_LEAST),
            "less_than" | "<" => Self::Ordered(number()?, LESS),
            "less_or_equal" => Self::Ordered(number()?, AT_MOST),
            "between" | "><" => between(value)?,
            "contains" => Self::Contains(Operand::read(value)),
            "starts_with" => Self::StartsWith(text()?),
            "ends_with" => Self::EndsWith(text()?),
            "matches" => Self::Matches(Box::new(pattern(&text()?)?)),
            _ => Self::Cidr(ranges(value)?),
        })
    }

    /// Whether it holds for what an event has.
    #[must_use]
    pub fn holds(&self, seen: Option<&RawValue>) -> bool {
        let Some(seen) = seen else { return matches!(self, Self::NotExists) };
        let text = || serde_json::from_str::<String>(seen.get()).ok();
        match self {
            Self::Exists => true,
            Self::NotExists => false,
            Self::Equals(operand) => operand.equals(seen),
            Self::NotEquals(operand) => !operand.equals(seen),
            Self::In(operands) => operands.iter().any(|operand| operand.equals(seen)),
            Self::NotIn(operands) => !operands.iter().any(|operand| operand.equals(seen)),
            Self::Ordered(number, orders) => {
                Number::read(seen.get()).is_some_and(|seen| orders.contains(&seen.cmp(number)))
            }
            Self::Between(low, high) => {
                Number::read(seen.get()).is_some_and(|seen| seen >= *low && seen <= *high)
            }
            Self::Contains(operand) => contains(operand, seen),
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

/// A text holds a text, a list holds an item.
fn contains(operand: &Operand, seen: &RawValue) -> bool {
    if let Ok(items) = serde_json::from_str::<Vec<&RawValue>>(seen.get()) {
        return items.into_iter().any(|item| operand.equals(item));
    }
    match (operand, serde_json::from_str::<String>(seen.get())) {
        (Operand::Other(Value::String(part)), Ok(text)) => text.contains(part),
        _ => false,
    }
}

fn operands(value: &RawValue) -> Result<Vec<Operand>, String> {
    let items: Vec<&RawValue> =
        serde_json::from_str(value.get()).map_err(|_| "a list, as [\"US\", \"CA\"]".to_owned())?;
    Ok(items.into_iter().map(Operand::read).collect())
}

fn between(value: &RawValue) -> Result<Operator, String> {
    let expected = || "two numbers, as [10, 20], the lower one first".to_owned();
    let ends: Vec<&RawValue> = serde_json::from_str(value.get()).map_err(|_| expected())?;
    let [low, high] = ends.as_slice() else { return Err(expected()) };
    match (Number::read(low.get()), Number::read(high.get())) {
        (Some(low), Some(high)) if low <= high => Ok(Operator::Between(low, high)),
        _ => Err(expected()),
    }
}

fn pattern(text: &str) -> Result<Regex, String> {
    RegexBuilder::new(text).size_limit(MAX_PATTERN).dfa_size_limit(MAX_PATTERN).build().map_err(|fault| {
        let why = fault.to_string();
        format!("a regular expression: {}", why.lines().last().unwrap_or_default().trim())
    })
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
