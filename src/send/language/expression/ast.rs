//! Parsed expressions: the nodes that rewriting creates, and queries on existing nodes.

use cel::IdedExpr;
use cel::common::ast::{CallExpr, EntryExpr, Expr, LiteralValue, operators};

/// The accumulator of a macro. Users cannot type this name.
const RESULT: &str = "@result";

/// Wraps a new node.
pub fn expr(expr: Expr) -> IdedExpr {
    IdedExpr { id: 0, expr }
}

/// A call.
pub fn call(name: &str, args: Vec<IdedExpr>) -> IdedExpr {
    expr(Expr::Call(CallExpr { func_name: name.to_owned(), target: None, args }))
}

/// A variable.
pub fn ident(name: &str) -> IdedExpr {
    expr(Expr::Ident(name.to_owned()))
}

/// A string literal.
pub fn text(text: &str) -> IdedExpr {
    expr(Expr::Literal(LiteralValue::String(text.to_owned().into())))
}

/// Whether it is the accumulator of a macro.
pub fn is_result(value: &IdedExpr) -> bool {
    matches!(&value.expr, Expr::Ident(name) if name == RESULT)
}

/// Whether it is a literal null.
pub fn is_null(value: &IdedExpr) -> bool {
    matches!(value.expr, Expr::Literal(LiteralValue::Null))
}

/// The names of `a.b['c'].d[0]`; `None` for anything else.
pub fn names(value: &IdedExpr) -> Option<Vec<String>> {
    match &value.expr {
        Expr::Ident(name) => Some(vec![name.clone()]),
        Expr::Select(select) if !select.test => {
            let mut found = names(&select.operand)?;
            found.push(select.field.clone());
            Some(found)
        }
        Expr::Call(made) if made.func_name == operators::INDEX => item_names(&made.args),
        _ => None,
    }
}

/// The names of the member or item that an index names.
pub fn item_names(args: &[IdedExpr]) -> Option<Vec<String>> {
    let [value, key] = args else { return None };
    let mut found = names(value)?;
    found.push(match &key.expr {
        Expr::Literal(LiteralValue::String(name)) => name.inner().to_owned(),
        Expr::Literal(LiteralValue::Int(at)) => at.inner().to_string(),
        _ => return None,
    });
    Some(found)
}

/// Converts a value for one of CEL's own functions.
pub fn plain(value: IdedExpr) -> IdedExpr {
    if matches!(&value.expr, Expr::Literal(_)) { value } else { call("@plain", vec![value]) }
}

/// The nesting depth of an expression.
pub fn depth(value: &IdedExpr) -> usize {
    let deepest = |values: &mut dyn Iterator<Item = &IdedExpr>| values.map(depth).max().unwrap_or(0);
    let below = match &value.expr {
        Expr::Call(made) => deepest(&mut made.target.as_deref().into_iter().chain(&made.args)),
        Expr::List(list) => deepest(&mut list.elements.iter()),
        Expr::Select(select) => depth(&select.operand),
        Expr::Map(map) => map
            .entries
            .iter()
            .map(|entry| match &entry.expr {
                EntryExpr::MapEntry(entry) => depth(&entry.key).max(depth(&entry.value)),
                EntryExpr::StructField(field) => depth(&field.value),
            })
            .max()
            .unwrap_or(0),
        Expr::Comprehension(walk) => {
            let parts = [&walk.iter_range, &walk.accu_init, &walk.loop_cond, &walk.loop_step, &walk.result];
            deepest(&mut parts.into_iter())
        }
        Expr::Unspecified | Expr::Ident(_) | Expr::Literal(_) | Expr::Struct(_) => 0,
    };
    below.saturating_add(1)
}
