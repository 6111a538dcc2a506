//! CEL's operators, adapted to events. JSON numbers behave alike, missing values stay missing or count as false, and
//! every step is paid for. Operands that do not come from an event use CEL's own operators.

use std::cmp::Ordering;

use cel::ExecutionError;
use cel::common::types::{CelBool, CelDouble, CelInt, CelList, CelMap, CelString, CelUInt, Kind};
use cel::common::value::{CowVal, Val};

use super::budget::{OPERATION, price, spend};
use super::fault::{failure, kind_of};
use super::json::{Json, is_missing, is_null, key_text, same};
use super::members::{is_present, optionally, selected};
use super::number::{Calculation, JsonNumber};

/// The result of a function.
type Outcome<'b, 'v> = Result<CowVal<'b, 'v>, ExecutionError>;

/// The arguments of a function that takes `N`.
///
/// # Errors
/// When there are more or fewer.
pub fn exactly<const N: usize, T>(args: Vec<T>) -> Result<[T; N], ExecutionError> {
    spend(OPERATION)?;
    let actual = args.len();
    args.try_into().map_err(|_| ExecutionError::invalid_argument_count(N, actual))
}

fn truth<'b, 'v>(holds: bool) -> CowVal<'b, 'v> {
    CowVal::owned(CelBool::from(holds))
}

macro_rules! operators {
    ($($name:ident = $work:expr;)*) => {
        $(
            pub fn $name<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Outcome<'b, 'v> {
                let [left, right] = exactly(args)?;
                $work(left, right)
            }
        )*
    };
}

operators! {
    add = |left, right| calculated(Calculation::Add, left, right);
    subtract = |left, right| calculated(Calculation::Subtract, left, right);
    multiply = |left, right| calculated(Calculation::Multiply, left, right);
    divide = |left, right| calculated(Calculation::Divide, left, right);
    remainder = |left, right| calculated(Calculation::Remainder, left, right);
    equals = |left: CowVal<'b, 'v>, right: CowVal<'b, 'v>| Ok(truth(same(&*left, &*right)?));
    differs = |left: CowVal<'b, 'v>, right: CowVal<'b, 'v>| Ok(truth(!same(&*left, &*right)?));
    less = |left, right| ordered(left, right, "<", Ordering::is_lt);
    at_most = |left, right| ordered(left, right, "<=", Ordering::is_le);
    greater = |left, right| ordered(left, right, ">", Ordering::is_gt);
    at_least = |left, right| ordered(left, right, ">=", Ordering::is_ge);
    within = |left: CowVal<'b, 'v>, right: CowVal<'b, 'v>| Ok(truth(contains(&*right, &*left)?));
    has = |value: CowVal<'b, 'v>, name: CowVal<'b, 'v>| Ok(truth(is_present(&*value, &*name)?));
    select = selected;
    optional_select = optionally;
}

/// `-value`
pub fn negate<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Outcome<'b, 'v> {
    let [value] = exactly(args)?;
    if is_missing(&*value) {
        return Ok(value);
    }
    if let Some(number) = value.downcast_ref::<JsonNumber>() {
        let minus = JsonNumber::from_double(-1.0);
        return number.calculate(Calculation::Multiply, &minus).map(CowVal::owned);
    }
    let negator =
        value.as_negator().ok_or_else(|| failure(format!("- does not work on {}", kind_of(&*value))))?;
    Ok(CowVal::Owned(negator.negate()?))
}

/// A value used as a condition: missing values and null count as false.
pub fn condition<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Outcome<'b, 'v> {
    let [value] = exactly(args)?;
    if is_missing(&*value) || is_null(&*value) { Ok(truth(false)) } else { Ok(value) }
}

/// Whether a value exists, so that a macro can walk it.
pub fn is_there<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Outcome<'b, 'v> {
    let [value] = exactly(args)?;
    Ok(truth(!is_missing(&*value)))
}

/// What a macro walks: a list, or the keys of an object. Keys of an event's object keep their order; those of a
/// literal are sorted.
pub fn range<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Outcome<'b, 'v> {
    let [value] = exactly(args)?;
    if let Some(json) = value.downcast_ref::<Json>() {
        spend(json.text().len())?;
        return Ok(value);
    }
    spend(price(&*value))?;
    let Some(map) = value.downcast_ref::<CelMap>() else { return Ok(value) };
    let mut keys: Vec<Box<dyn Val + 'v>> =
        map.inner().keys().map(|key| key.inner().clone_as_boxed()).collect();
    keys.sort_by_cached_key(|key| key_text(key.as_ref()));
    Ok(CowVal::owned(CelList::from(keys)))
}

/// Pays for the copy of a value for a new list or object.
pub fn keep<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Outcome<'b, 'v> {
    let [value] = exactly(args)?;
    spend(price(&*value))?;
    Ok(value)
}

fn calculated<'b, 'v>(how: Calculation, left: CowVal<'b, 'v>, right: CowVal<'b, 'v>) -> Outcome<'b, 'v> {
    if is_missing(&*left) {
        return Ok(left);
    }
    if is_missing(&*right) {
        return Ok(right);
    }
    if let (Some(one), Some(other)) = (JsonNumber::of(&*left), JsonNumber::of(&*right))
        && is_mixed(&*left, &*right)
    {
        return one.calculate(how, &other).map(CowVal::owned);
    }
    spend(price(&*left).saturating_add(price(&*right)))?;
    let own_list = left.downcast_ref::<Json>().filter(|json| json.is_list());
    let left = match own_list {
        Some(json) => CowVal::owned(CelList::from(
            json.items().iter().map(|item| item.clone_as_boxed()).collect::<Vec<_>>(),
        )),
        None => left,
    };
    let unfit = || unfit(how, &*left, &*right);
    let result = match how {
        Calculation::Add => left.as_adder().ok_or_else(unfit)?.add(&*right),
        Calculation::Subtract => left.as_subtractor().ok_or_else(unfit)?.sub(&*right),
        Calculation::Multiply => left.as_multiplier().ok_or_else(unfit)?.mul(&*right),
        Calculation::Divide => left.as_divider().ok_or_else(unfit)?.div(&*right),
        Calculation::Remainder => left.as_modder().ok_or_else(unfit)?.modulo(&*right),
    };
    match result {
        Ok(value) => Ok(CowVal::Owned(value.into_owned())),
        Err(ExecutionError::UnsupportedBinaryOperator(..) | ExecutionError::UnexpectedType { .. }) => {
            Err(unfit())
        }
        Err(other) => Err(other),
    }
}

/// Whether two numbers have different CEL types; they are then compared as plain numbers. CEL keeps `int` and `uint`
/// apart.
fn is_mixed(left: &dyn Val, right: &dyn Val) -> bool {
    let is_of_json = |value: &dyn Val| value.downcast_ref::<JsonNumber>().is_some();
    let is_double = |value: &dyn Val| value.downcast_ref::<CelDouble>().is_some();
    is_of_json(left) || is_of_json(right) || is_double(left) != is_double(right)
}

fn unfit(how: Calculation, left: &dyn Val, right: &dyn Val) -> ExecutionError {
    let sign = match how {
        Calculation::Add => "+",
        Calculation::Subtract => "-",
        Calculation::Multiply => "*",
        Calculation::Divide => "/",
        Calculation::Remainder => "%",
    };
    let (left, right) = (kind_of(left), kind_of(right));
    let hint = match (left, right) {
        ("text", "a number") | ("a number", "text") if how == Calculation::Add => {
            "; write string(x) to join, or double(x) to calculate"
        }
        ("text", _) | (_, "text") if how != Calculation::Add => "; double(x) makes a number of a text",
        _ => "",
    };
    failure(format!("{sign} does not work on {left} and {right}{hint}"))
}

fn ordered<'b, 'v>(
    left: CowVal<'b, 'v>,
    right: CowVal<'b, 'v>,
    sign: &str,
    fits: fn(Ordering) -> bool,
) -> Outcome<'b, 'v> {
    let is_nothing = |value: &dyn Val| is_missing(value) || is_null(value);
    if is_nothing(&*left) || is_nothing(&*right) {
        return Ok(truth(false));
    }
    let number = |value: &dyn Val| value.downcast_ref::<JsonNumber>().is_some();
    if number(&*left) || number(&*right) {
        if let (Some(one), Some(other)) = (JsonNumber::of(&*left), JsonNumber::of(&*right)) {
            return Ok(truth(one.order(&other).is_some_and(fits)));
        }
    } else if let Some(comparer) = left.as_comparer()
        && let Ok(order) = comparer.compare(&*right)
    {
        spend(price(&*left).min(price(&*right)))?;
        return Ok(truth(fits(order)));
    }
    let (left, right) = (kind_of(&*left), kind_of(&*right));
    Err(failure(format!("{sign} cannot compare {left} with {right}")))
}

fn contains(container: &dyn Val, value: &dyn Val) -> Result<bool, ExecutionError> {
    if is_missing(container) || is_null(container) || is_missing(value) {
        return Ok(false);
    }
    match container.get_type().kind() {
        Kind::List => {
            let Some(items) = container.as_iterable() else { return Ok(false) };
            let mut items = items.iter();
            while let Some(item) = items.next() {
                if same(item, value)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        Kind::String => {
            Err(failure("in looks into lists and objects; for a text write text.contains('part')"))
        }
        _ => match container.downcast_ref::<Json>() {
            Some(json) => {
                Ok(value.downcast_ref::<CelString>().is_some_and(|name| json.member(name.inner()).is_some()))
            }
            None => {
                let unfit = || failure(format!("in does not work on {}", kind_of(container)));
                let container = container.as_container().ok_or_else(unfit)?;
                match value.downcast_ref::<JsonNumber>() {
                    Some(number) => container.contains(&*number.plain()),
                    None => container.contains(value),
                }
            }
        },
    }
}

/// A value for one of CEL's own functions: numbers as `int`, `uint` or `double`, also inside lists.
pub fn plain<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Outcome<'b, 'v> {
    let [value] = exactly(args)?;
    spend(price(&*value))?;
    if let Some(number) = value.downcast_ref::<JsonNumber>() {
        return Ok(CowVal::Owned(number.plain()));
    }
    let items: Vec<&(dyn Val + 'v)> = match (value.downcast_ref::<Json>(), value.downcast_ref::<CelList>()) {
        (Some(json), _) if json.is_list() => {
            spend(json.text().len())?;
            let mut items: Vec<&(dyn Val + 'v)> = Vec::new();
            for item in json.items() {
                items.push(&**item);
            }
            items
        }
        (_, Some(list)) if list.inner().iter().any(|item| is_of_event(item.as_ref())) => {
            list.inner().iter().map(|item| &**item).collect()
        }
        _ => return Ok(value),
    };
    let are_ints = items.iter().filter_map(|item| item.downcast_ref::<JsonNumber>()).all(JsonNumber::is_int);
    let plain_item = |item: &(dyn Val + 'v)| match item.downcast_ref::<JsonNumber>() {
        Some(number) if are_ints => number.plain(),
        Some(number) => number.plain_double(),
        None => item.clone_as_boxed(),
    };
    let items: Vec<Box<dyn Val + 'v>> = items.into_iter().map(plain_item).collect();
    Ok(CowVal::owned(CelList::from(items)))
}

fn is_of_event(value: &dyn Val) -> bool {
    value.downcast_ref::<JsonNumber>().is_some()
}

/// The value as one of CEL's whole numbers.
pub fn whole(value: &dyn Val) -> Option<i64> {
    if let Some(int) = value.downcast_ref::<CelInt>() {
        return Some(*int.inner());
    }
    value.downcast_ref::<CelUInt>().and_then(|uint| i64::try_from(*uint.inner()).ok())
}
