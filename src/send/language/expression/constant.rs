//! Calls with literal arguments are evaluated at compile time: if they fail, they fail on every event.

use cel::common::ast::{CallExpr, Expr, LiteralValue};
use cel::{Context, IdedExpr, Value};

use super::ast::{call, expr, text};
use super::{budget, fault, library};

/// Whether it is a literal value.
pub fn is_written(value: &IdedExpr) -> bool {
    matches!(value.expr, Expr::Literal(_))
}

/// Why a call with literal arguments fails; `None` if it succeeds.
pub fn failure(call: &IdedExpr) -> Option<String> {
    let context = Context::with_env(library::environment().ok()?);
    budget::within(|| Value::resolve_val(call, &context).err().map(|error| fault::sentence(&error)))
}

/// Why `getHours('Mars/Base')` and similar calls fail for any time; `None` if the time zone is known.
pub fn zone_failure(function: &str, args: &[IdedExpr]) -> Option<String> {
    let [zone] = args else { return None };
    if !function.starts_with("get") || !matches!(zone.expr, Expr::Literal(LiteralValue::String(_))) {
        return None;
    }
    let time = call("timestamp", vec![text("1970-01-01T00:00:00Z")]);
    let args = vec![zone.clone()];
    failure(&expr(Expr::Call(CallExpr {
        func_name: function.to_owned(),
        target: Some(Box::new(time)),
        args,
    })))
}
