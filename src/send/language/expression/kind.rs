//! The result kind of an expression, as far as it is known without an event: a filter must return true or false.

use cel::IdedExpr;
use cel::common::ast::{Expr, LiteralValue, operators as signs};

use super::functions::{self, Form, Gives};

/// The result kind of a parsed expression.
pub fn gives(value: &IdedExpr) -> Gives {
    match &value.expr {
        Expr::Literal(LiteralValue::Boolean(_)) => Gives::Truth,
        Expr::Literal(LiteralValue::String(_)) => Gives::Other("text"),
        Expr::Literal(LiteralValue::Null) => Gives::Other("null"),
        Expr::Literal(LiteralValue::Bytes(_)) => Gives::Other("bytes"),
        Expr::Literal(_) => Gives::Other("a number"),
        Expr::List(_) => Gives::Other("a list"),
        Expr::Map(_) | Expr::Struct(_) => Gives::Other("an object"),
        Expr::Select(select) if select.test => Gives::Truth,
        Expr::Comprehension(walk) => match gives(&walk.result) {
            // The result is the accumulator, which keeps the kind of its initial value.
            Gives::Unknown if is_name(&walk.result, &walk.accu_var) => gives(&walk.accu_init),
            other => other,
        },
        Expr::Call(made) => match &made.target {
            None => of_call(&made.func_name, &made.args),
            Some(target) => match &target.expr {
                Expr::Ident(namespace) if functions::is_namespace(namespace) => {
                    of_function(&format!("{namespace}.{}", made.func_name), Form::Global)
                }
                _ => of_function(&made.func_name, Form::Member),
            },
        },
        Expr::Unspecified | Expr::Ident(_) | Expr::Select(_) => Gives::Unknown,
    }
}

fn is_name(value: &IdedExpr, name: &str) -> bool {
    matches!(&value.expr, Expr::Ident(known) if known == name)
}

fn of_function(name: &str, form: Form) -> Gives {
    functions::known(name, form).map_or(Gives::Unknown, |known| known.gives)
}

fn of_call(name: &str, args: &[IdedExpr]) -> Gives {
    match name {
        signs::EQUALS
        | signs::NOT_EQUALS
        | signs::LESS
        | signs::LESS_EQUALS
        | signs::GREATER
        | signs::GREATER_EQUALS => Gives::Truth,
        signs::IN
        | signs::LOGICAL_AND
        | signs::LOGICAL_OR
        | signs::LOGICAL_NOT
        | signs::NOT_STRICTLY_FALSE => Gives::Truth,
        signs::ADD => Gives::Other("a number, a text or a list"),
        signs::SUBSTRACT | signs::MULTIPLY | signs::DIVIDE | signs::MODULO | signs::NEGATE => {
            Gives::Other("a number")
        }
        signs::CONDITIONAL => match args {
            [_, one, other] => match (gives(one), gives(other)) {
                (Gives::Truth, Gives::Truth) => Gives::Truth,
                (Gives::Other(kind), Gives::Other(_)) => Gives::Other(kind),
                _ => Gives::Unknown,
            },
            _ => Gives::Unknown,
        },
        "math.@max" | "math.@min" => Gives::Other("a number"),
        _ => of_function(name, Form::Global),
    }
}
