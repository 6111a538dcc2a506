//! Access to members and items: plain, with `has()`, or optional. What an event lacks is a missing value, not an
//! error.

use cel::ExecutionError;
use cel::common::types::{CelBool, CelOptional, CelString};
use cel::common::value::{CowVal, Val};

use super::budget::{price, spend};
use super::fault::{failure, kind_of, sentence};
use super::json::{Json, Missing, is_missing, is_null, key_text};
use super::number::JsonNumber;

/// The result of a selection.
type Outcome<'b, 'v> = Result<CowVal<'b, 'v>, ExecutionError>;

/// `has(value.name)`
///
/// # Errors
/// When the value cannot have members.
pub fn is_present(value: &dyn Val, name: &dyn Val) -> Result<bool, ExecutionError> {
    if let Some(json) = value.downcast_ref::<Json>() {
        return Ok(name.downcast_ref::<CelString>().is_some_and(|name| json.member(name.inner()).is_some()));
    }
    if let Some(optional) = value.downcast_ref::<CelOptional>() {
        return optional.option().map_or(Ok(false), |inner| is_present(inner, name));
    }
    if is_memberless(value) {
        return Ok(false);
    }
    let indexer = value.as_indexer().ok_or_else(|| failure(format!("{} has no members", kind_of(value))))?;
    match indexer.get(name) {
        Ok(_) => Ok(true),
        Err(ExecutionError::NoSuchKey(_)) => Ok(false),
        Err(other) => Err(failure(sentence(&other))),
    }
}

/// Whether an event may contain this value instead of an expected object.
fn is_memberless(value: &dyn Val) -> bool {
    is_missing(value)
        || is_null(value)
        || value.downcast_ref::<JsonNumber>().is_some()
        || value.downcast_ref::<CelString>().is_some()
        || value.downcast_ref::<CelBool>().is_some()
}

/// `value.name`, `value[key]`
///
/// # Errors
/// When a literal list or object lacks the item, or the value cannot have items.
pub fn selected<'b, 'v>(value: CowVal<'b, 'v>, key: CowVal<'b, 'v>) -> Outcome<'b, 'v> {
    if let Some(optional) = value.downcast_ref::<CelOptional>() {
        let Some(inner) = optional.option() else { return Ok(CowVal::owned(CelOptional::none())) };
        spend(price(inner))?;
        return optionally(CowVal::Owned(inner.clone_as_boxed()), key);
    }
    if let Some(missing) = value.downcast_ref::<Missing>() {
        return Ok(CowVal::owned(missing.below(&key_text(&*key))));
    }
    if value.downcast_ref::<Json>().is_some() {
        return Ok(of_json(value, &*key));
    }
    if is_memberless(&*value) && key.downcast_ref::<CelString>().is_some() {
        return Ok(CowVal::owned(Missing::new(&key_text(&*key))));
    }
    let number = key.downcast_ref::<JsonNumber>().map(JsonNumber::plain);
    let key: &dyn Val = number.as_deref().unwrap_or(&*key);
    match value {
        CowVal::Borrowed(value) => value.as_indexer().ok_or_else(|| unselectable(value, key))?.get(key),
        CowVal::Owned(value) => {
            let found = value.as_indexer().ok_or_else(|| unselectable(&*value, key))?.get(key)?;
            spend(price(&*found))?;
            Ok(CowVal::Owned(found.into_owned()))
        }
    }
}

fn unselectable(value: &dyn Val, key: &dyn Val) -> ExecutionError {
    failure(format!("{} has no member {:?}", kind_of(value), key_text(key)))
}

/// The member or item of an event's list or object, or a missing value.
fn of_json<'b, 'v>(value: CowVal<'b, 'v>, key: &dyn Val) -> CowVal<'b, 'v> {
    fn found<'j>(json: &'j Json, key: &dyn Val) -> Option<&'j (dyn Val + 'static)> {
        match key.downcast_ref::<CelString>() {
            Some(name) => json.member(name.inner()),
            None => json.item(JsonNumber::of(key)?.whole()?),
        }
    }
    let missing = || CowVal::owned(Missing::new(&key_text(key)));
    match value {
        CowVal::Borrowed(borrowed) => match borrowed.downcast_ref::<Json>().and_then(|json| found(json, key))
        {
            Some(member) => CowVal::Borrowed(member),
            None => missing(),
        },
        CowVal::Owned(owned) => match owned.downcast_ref::<Json>().and_then(|json| found(json, key)) {
            Some(member) => CowVal::Owned(member.clone_as_boxed()),
            None => missing(),
        },
    }
}

/// `value.?key`: an optional that is empty if the member is missing.
///
/// # Errors
/// When the copy takes too much work.
pub fn optionally<'b, 'v>(value: CowVal<'b, 'v>, key: CowVal<'b, 'v>) -> Outcome<'b, 'v> {
    let found = match selected(value, key) {
        Ok(found) if !is_missing(&*found) => found,
        _ => return Ok(CowVal::owned(CelOptional::none())),
    };
    if found.downcast_ref::<CelOptional>().is_some() {
        return Ok(found);
    }
    spend(price(&*found))?;
    Ok(CowVal::owned(CelOptional::of(found.into_owned())))
}
