//! The cost limit of one evaluation. Work and memory are paid for in advance, so that no expression or event can block
//! the sender.

use std::cell::Cell;

use cel::ExecutionError;
use cel::common::types::{CelBytes, CelList, CelMap, CelOptional, CelString};
use cel::common::value::Val;

use super::fault::failure;

/// The budget of one evaluation: about this many bytes, or 32 times fewer operations.
const MOST: usize = 64 * 1024 * 1024;
/// The price of one operation, and of one list item.
pub const OPERATION: usize = 32;

thread_local! {
    /// The remaining budget of the evaluation on this thread; the library's functions cannot carry state.
    static LEFT: Cell<usize> = const { Cell::new(0) };
}

/// Runs one evaluation with a full budget.
pub fn within<T>(evaluation: impl FnOnce() -> T) -> T {
    LEFT.set(MOST);
    evaluation()
}

/// Pays `price`.
///
/// # Errors
/// When the budget is exhausted.
pub fn spend(price: usize) -> Result<(), ExecutionError> {
    let left = LEFT.get().checked_sub(price).ok_or_else(|| failure("takes too much work for this event"))?;
    LEFT.set(left);
    Ok(())
}

/// The price of a copy of `value`. Lists and objects of the event are shared; everything else is copied.
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
