//! What one evaluation may cost: work and memory are paid for before they are used, so that neither an expression nor an
//! event can stop the sender.

use std::cell::Cell;

use cel::ExecutionError;
use cel::common::types::{CelBytes, CelList, CelMap, CelOptional, CelString};
use cel::common::value::Val;

use super::fault::failure;

/// What an evaluation may spend: about as many bytes, or 32 times fewer operations.
const MOST: usize = 64 * 1024 * 1024;
/// The price of one operation, and of one item of a list.
pub const OPERATION: usize = 32;

thread_local! {
    /// What the evaluation on this thread may still spend; the library's functions have no place for a state.
    static LEFT: Cell<usize> = const { Cell::new(0) };
}

/// Runs one evaluation with a full purse.
pub fn within<T>(evaluation: impl FnOnce() -> T) -> T {
    LEFT.set(MOST);
    evaluation()
}

/// Pays `price`.
///
/// # Errors
/// When nothing is left.
pub fn spend(price: usize) -> Result<(), ExecutionError> {
    let left = LEFT.get().checked_sub(price).ok_or_else(|| failure("takes too much work for this event"))?;
    LEFT.set(left);
    Ok(())
}

/// The price of a copy of `value`: an event's own lists and objects are shared, everything else is copied.
pub fn price(value: &dyn Val) -> usize {
    let below = |items: &mut dyn Iterator<Item = usize>| items.fold(OPERATION, usize::saturating_add);
    if let Some(text) = value.downcast_ref::<CelString>() {
        text.len().saturating_add(OPERATION)
    } else if let Some(bytes) = value.downcast_ref::<CelBytes>() {
        bytes.inner().len().saturating_add(OPERATION)
    } else if let Some(list) = value.downcast_ref::<CelList>() {
        below(&mut list.inner().iter().map(|item| price(item.as_ref())))
    } else if let Some(map) = value.downcast_ref::<CelMap>() {
        below(&mut map.inner().values().map(|item| price(item.as_ref()).saturating_add(OPERATION)))
    } else if let Some(optional) = value.downcast_ref::<CelOptional>() {
        optional.option().map_or(OPERATION, price)
    } else {
        OPERATION
    }
}
