//! A number of an event. JSON has only one kind of number, so `25` and `25.0` behave alike in calculations. A number
//! that is only passed on keeps its digits.

use std::any::Any;
use std::cmp::Ordering;

use cel::ExecutionError;
use cel::common::traits::{Comparer, Zeroer};
use cel::common::types::{CelDouble, CelInt, CelUInt, Type};
use cel::common::value::{StaticVal, Val};

use super::fault::failure;
use crate::domain::json::Number;

static NUMBER: Type = Type::new_unspecified_type("number");
/// From here on, a double cannot distinguish neighbouring whole numbers.
const WHOLE_DOUBLES: f64 = 9_007_199_254_740_992.0;

/// A number that came from JSON, or was calculated from one.
#[derive(Clone, Debug)]
pub struct JsonNumber {
    amount: Amount,
    /// The original text, if it differs from the canonical one.
    written: Option<Box<str>>,
}

#[derive(Clone, Copy, Debug)]
enum Amount {
    Whole(i128),
    Double(f64),
}

/// The arithmetic operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Calculation {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `%`
    Remainder,
}

impl JsonNumber {
    /// Reads a JSON number.
    #[must_use]
    pub fn read(json: &str) -> Option<Self> {
        let is_whole = !json.contains(['.', 'e', 'E']);
        let amount = match json.parse().ok().filter(|_| is_whole) {
            Some(whole) => Amount::Whole(whole),
            None => amount(json.parse().ok()?),
        };
        let number = Self { amount, written: None };
        let written = (number.text() != json).then(|| json.into());
        Some(Self { written, ..number })
    }

    /// A calculated number.
    #[must_use]
    pub fn from_double(value: f64) -> Self {
        Self { amount: amount(value), written: None }
    }

    /// A value of an expression as a number; `None` if it is not a number.
    #[must_use]
    pub fn of(value: &dyn Val) -> Option<Self> {
        if let Some(number) = value.downcast_ref::<Self>() {
            return Some(number.clone());
        }
        let whole = |whole: i128| Self { amount: Amount::Whole(whole), written: None };
        if let Some(int) = value.downcast_ref::<CelInt>() {
            return Some(whole(i128::from(*int.inner())));
        }
        if let Some(uint) = value.downcast_ref::<CelUInt>() {
            return Some(whole(i128::from(*uint.inner())));
        }
        value.downcast_ref::<CelDouble>().map(|double| Self::from_double(*double.inner()))
    }

    /// The number as JSON: as written, or the shortest equivalent text.
    #[must_use]
    pub fn text(&self) -> String {
        match (&self.written, self.amount) {
            (Some(written), _) => written.to_string(),
            (None, Amount::Whole(whole)) => whole.to_string(),
            (None, Amount::Double(double)) => serde_json::Number::from_f64(double)
                .map_or_else(|| double.to_string(), |text| text.to_string()),
        }
    }

    /// Whether JSON can represent it: not infinite and not "not a number".
    #[must_use]
    pub fn is_finite(&self) -> bool {
        self.double().is_finite()
    }

    /// The number for a CEL function, as `int`, `uint` or `double`.
    #[must_use]
    pub fn plain(&self) -> Box<dyn Val> {
        let Amount::Whole(whole) = self.amount else { return self.plain_double() };
        match (i64::try_from(whole), u64::try_from(whole)) {
            (Ok(int), _) => Box::new(CelInt::from(int)),
            (_, Ok(uint)) => Box::new(CelUInt::from(uint)),
            _ => self.plain_double(),
        }
    }

    /// The number as CEL's `double`.
    #[must_use]
    pub fn plain_double(&self) -> Box<dyn Val> {
        Box::new(CelDouble::from(self.double()))
    }

    /// Whether it is a whole number within a CEL type.
    #[must_use]
    pub fn is_int(&self) -> bool {
        matches!(self.amount, Amount::Whole(whole) if i64::try_from(whole).is_ok())
    }

    /// The whole number, if it is one.
    #[must_use]
    pub fn whole(&self) -> Option<i128> {
        if let Amount::Whole(whole) = self.amount { Some(whole) } else { None }
    }

    /// The nearest double.
    #[must_use]
    pub fn double(&self) -> f64 {
        match self.amount {
            Amount::Double(double) => double,
            Amount::Whole(whole) => match i32::try_from(whole) {
                Ok(small) => f64::from(small),
                Err(_) => whole.to_string().parse().unwrap_or(f64::NAN),
            },
        }
    }

    /// The result of a calculation: whole numbers stay exact, everything else is a double.
    ///
    /// # Errors
    /// For a division by zero, and a result that JSON cannot represent.
    pub fn calculate(&self, how: Calculation, other: &Self) -> Result<Self, ExecutionError> {
        let divides = matches!(how, Calculation::Divide | Calculation::Remainder);
        if divides && other.is_zero_value() {
            return Err(failure("divides by zero"));
        }
        if let (Amount::Whole(left), Amount::Whole(right)) = (self.amount, other.amount) {
            let whole = match how {
                Calculation::Add => left.checked_add(right),
                Calculation::Subtract => left.checked_sub(right),
                Calculation::Multiply => left.checked_mul(right),
                Calculation::Divide if left.checked_rem(right) != Some(0) => None,
                Calculation::Divide => left.checked_div(right),
                Calculation::Remainder => left.checked_rem(right),
            };
            if let Some(whole) = whole {
                return Ok(Self { amount: Amount::Whole(whole), written: None });
            }
        }
        let (left, right) = (self.double(), other.double());
        let double = match how {
            Calculation::Add => left + right,
            Calculation::Subtract => left - right,
            Calculation::Multiply => left * right,
            Calculation::Divide => left / right,
            Calculation::Remainder => left % right,
        };
        if double.is_finite() {
            Ok(Self::from_double(double))
        } else {
            Err(failure("makes a number that is too large"))
        }
    }

    /// The order of two numbers, exact to the last digit; `None` if one is not a number.
    #[must_use]
    pub fn order(&self, other: &Self) -> Option<Ordering> {
        if let (Amount::Whole(left), Amount::Whole(right)) = (self.amount, other.amount) {
            return Some(left.cmp(&right));
        }
        if !self.is_finite() || !other.is_finite() {
            return self.double().partial_cmp(&other.double());
        }
        Some(Number::read(&self.text())?.cmp(&Number::read(&other.text())?))
    }
}

/// A double with a whole value becomes a whole number: `42.0` divides and prints as `42`.
fn amount(double: f64) -> Amount {
    if double.fract() == 0.0 && double.abs() < WHOLE_DOUBLES {
        // The only conversion from a double to a whole number without a truncating cast.
        return format!("{double:.0}").parse().map_or(Amount::Double(double), Amount::Whole);
    }
    Amount::Double(double)
}

impl Zeroer for JsonNumber {
    fn is_zero_value(&self) -> bool {
        self.double() == 0.0
    }
}

impl Comparer for JsonNumber {
    fn compare(&self, other: &dyn Val) -> Result<Ordering, ExecutionError> {
        Self::of(other)
            .and_then(|other| self.order(&other))
            .ok_or_else(|| failure("compares a number with a value of another type"))
    }
}

impl Val for JsonNumber {
    fn get_type(&self) -> &Type {
        &NUMBER
    }

    fn cel_type() -> &'static Type {
        &NUMBER
    }

    fn as_comparer(&self) -> Option<&dyn Comparer> {
        Some(self)
    }

    fn as_zeroer(&self) -> Option<&dyn Zeroer> {
        Some(self)
    }

    fn equals(&self, other: &dyn Val) -> bool {
        Self::of(other).is_some_and(|other| self.order(&other) == Some(Ordering::Equal))
    }

    fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v> {
        Box::new(self.clone())
    }

    fn as_any(&self) -> Option<&dyn Any> {
        Some(self)
    }
}

impl StaticVal for JsonNumber {}
