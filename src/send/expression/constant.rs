//! Calls of written values are tried when an expression is compiled: what fails then fails on every event.

use cel::common::ast::{CallExpr, Expr, LiteralValue};
use cel::{Context, IdedExpr, Value};

use super::ast::{call, expr, text};
use super::{budget, fault, library};

/// Whether it is a value that is written out.
pub fn is_written(value: &IdedExpr) -> bool {
    matches!(value.expr, Expr::Literal(_))
}

/// Why a call of written values cannot be computed; `None` where it can.
pub fn failure(call: &IdedExpr) -> Option<String> {
    let context = Context::with_env(library::environment().ok()?);
    budget::within(|| Value::resolve_val(call, &context).err().map(|error| fault::sentence(&error)))
}

/// Why `getHours('Mars/Base')` and its like fail for any time; `None` where the zone is known.
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
