//! Adapts a parsed expression to events. Operators become ours, CEL functions get CEL values, and macros skip missing
//! values. Expressions that cannot work are rejected while the user is still editing them.

use std::collections::BTreeSet;

use cel::IdedExpr;
use cel::common::ast::{
    CallExpr, ComprehensionExpr, EntryExpr, Expr, ListExpr, LiteralValue, SelectExpr, operators as signs,
};

use super::ast::{call, expr, ident, is_null, is_result, item_names, names, plain, text};
use super::constant;
use super::functions::{self, Form};
use super::library::Pattern;
use crate::send::language::pattern;

/// The names of CEL's types: values of their own if an event has no member with that name.
pub const TYPES: [&str; 12] = [
    "bool",
    "bytes",
    "double",
    "google",
    "int",
    "list",
    "map",
    "null_type",
    "optional_type",
    "string",
    "type",
    "uint",
];

/// The operators that compare the order of values.
const ORDERS: [&str; 4] = ["@less", "@at_most", "@greater", "@at_least"];

/// The result of rewriting an expression.
#[derive(Debug, Default)]
pub struct Rewritten {
    /// The top-level event members it uses.
    pub roots: BTreeSet<String>,
    /// The paths it uses.
    pub paths: BTreeSet<String>,
    /// Its compiled patterns, with their names.
    pub patterns: Vec<(String, Pattern)>,
    /// Parts that cannot work.
    pub faults: Vec<String>,
    /// The variables bound by macros here.
    bound: Vec<String>,
    /// The number of macros so far.
    macros: usize,
}

/// Our operator for a CEL operator.
fn operator(name: &str, args: usize) -> Option<&'static str> {
    Some(match (name, args) {
        (signs::ADD, 2) => "@add",
        (signs::SUBSTRACT, 2) => "@subtract",
        (signs::MULTIPLY, 2) => "@multiply",
        (signs::DIVIDE, 2) => "@divide",
        (signs::MODULO, 2) => "@remainder",
        (signs::NEGATE, 1) => "@negate",
        (signs::EQUALS, 2) => "@equals",
        (signs::NOT_EQUALS, 2) => "@differs",
        (signs::LESS, 2) => "@less",
        (signs::LESS_EQUALS, 2) => "@at_most",
        (signs::GREATER, 2) => "@greater",
        (signs::GREATER_EQUALS, 2) => "@at_least",
        (signs::IN, 2) => "@within",
        (signs::INDEX, 2) => "@select",
        (signs::OPT_INDEX | signs::OPT_SELECT, 2) => "@optional_select",
        _ => return None,
    })
}

impl Rewritten {
    /// The rewritten expression.
    pub fn rewrite(&mut self, value: IdedExpr) -> IdedExpr {
        let IdedExpr { id, expr: inner } = value;
        let rewritten = match inner {
            Expr::Ident(name) => {
                self.meet(std::slice::from_ref(&name));
                Expr::Ident(name)
            }
            Expr::Select(select) => return self.select(select),
            Expr::Call(made) => return self.call(made),
            Expr::List(list) => Expr::List(ListExpr {
                elements: list.elements.into_iter().map(|item| self.kept(item)).collect(),
                optional_indices: list.optional_indices,
            }),
            Expr::Map(mut map) => {
                for entry in &mut map.entries {
                    if let EntryExpr::MapEntry(entry) = &mut entry.expr {
                        entry.key = call("@plain", vec![self.rewrite(std::mem::take(&mut entry.key))]);
                        entry.value = self.kept(std::mem::take(&mut entry.value));
                    }
                }
                Expr::Map(map)
            }
            Expr::Struct(made) => {
                self.faults
                    .push(format!("there is no type {}; an object is written {{'a': 1}}", made.type_name));
                Expr::Struct(made)
            }
            Expr::Comprehension(walk) => return self.comprehension(*walk),
            other @ (Expr::Literal(_) | Expr::Unspecified) => other,
        };
        IdedExpr { id, expr: rewritten }
    }

    /// A value that becomes part of a list or an object.
    fn kept(&mut self, value: IdedExpr) -> IdedExpr {
        let is_literal = matches!(value.expr, Expr::Literal(_));
        let value = self.rewrite(value);
        if is_literal { value } else { call("@keep", vec![value]) }
    }

    /// Records the event member and the path that names refer to.
    fn meet(&mut self, names: &[String]) {
        let Some(root) = names.first().filter(|root| !root.starts_with('@')) else { return };
        let root = root.trim_start_matches('.');
        if self.bound.iter().any(|bound| bound == root) {
            return;
        }
        self.roots.insert(root.to_owned());
        let dotted = |name: &String| name.replace('\\', "\\\\").replace('.', "\\.");
        let mut path: Vec<String> = names.iter().skip(1).map(dotted).collect();
        path.insert(0, root.to_owned());
        self.paths.insert(path.join("."));
    }

    fn select(&mut self, select: SelectExpr) -> IdedExpr {
        let SelectExpr { operand, field, test } = select;
        let path = names(&operand);
        let is_type = path.as_ref().is_some_and(|path| path.first().is_some_and(|root| root == "google"));
        if is_type && !test {
            return expr(Expr::Select(SelectExpr { operand, field, test }));
        }
        if let Some(mut path) = path {
            path.push(field.clone());
            self.meet(&path);
        }
        let value = self.operand(*operand);
        call(if test { "@has" } else { "@select" }, vec![value, text(&field)])
    }

    /// The operand of a member selection. Its own path is a prefix of a recorded one.
    fn operand(&mut self, value: IdedExpr) -> IdedExpr {
        match value.expr {
            Expr::Ident(_) => value,
            Expr::Select(select) if !select.test => {
                let inner = self.operand(*select.operand);
                call("@select", vec![inner, text(&select.field)])
            }
            _ => self.rewrite(value),
        }
    }

    /// A value used as a condition.
    fn condition(&mut self, value: IdedExpr) -> IdedExpr {
        let is_truth = is_result(&value) || super::kind::gives(&value) == functions::Gives::Truth;
        // A function returns nothing for a missing value, whatever it returns for others.
        let is_call = matches!(&value.expr, Expr::Call(made) if operator(&made.func_name, made.args.len()).is_none()
            && !is_logic(&made.func_name));
        let is_walk = matches!(&value.expr, Expr::Comprehension(_));
        let value = self.rewrite(value);
        if is_truth && !is_call && !is_walk { value } else { call("@condition", vec![value]) }
    }

    fn call(&mut self, made: CallExpr) -> IdedExpr {
        let CallExpr { func_name, target, args } = made;
        if let Some(target) = target {
            return self.method(func_name, *target, args);
        }
        let count = args.len();
        if func_name == signs::ADD && args.first().is_some_and(is_result) {
            // The library recognises how macros append; each item has already been paid for.
            let args =
                args.into_iter().map(|arg| if is_result(&arg) { arg } else { self.rewrite(arg) }).collect();
            return call(&func_name, args);
        }
        if func_name == signs::INDEX
            && let Some(path) = item_names(&args)
        {
            self.meet(&path);
        }
        if let Some(ours) = operator(&func_name, count) {
            let has_no_order = ORDERS.contains(&ours) && args.iter().any(is_null);
            if has_no_order {
                self.faults.push("null has no order; write x == null, or has(data.x)".to_owned());
            }
            let args = args.into_iter().map(|arg| self.rewrite(arg)).collect();
            return call(if has_no_order { &func_name } else { ours }, args);
        }
        match (func_name.as_str(), count) {
            (signs::CONDITIONAL, 3) => {
                let mut args = args.into_iter();
                let condition = args.next().map(|condition| self.condition(condition));
                let rest: Vec<IdedExpr> = args.map(|branch| self.rewrite(branch)).collect();
                return call(&func_name, condition.into_iter().chain(rest).collect());
            }
            (signs::LOGICAL_AND | signs::LOGICAL_OR, 2) | (signs::LOGICAL_NOT, 1) => {
                let args = args.into_iter().map(|arg| self.condition(arg)).collect();
                return call(&func_name, args);
            }
            (signs::NOT_STRICTLY_FALSE, 1) => {
                let args = args.into_iter().map(|arg| self.rewrite(arg)).collect();
                return call(&func_name, args);
            }
            _ => {}
        }
        let name = func_name.trim_start_matches('.').to_owned();
        self.function(&name, args)
    }

    fn method(&mut self, name: String, target: IdedExpr, args: Vec<IdedExpr>) -> IdedExpr {
        if let Expr::Ident(namespace) = &target.expr
            && functions::is_namespace(namespace)
            && !self.bound.contains(namespace)
        {
            let full = format!("{namespace}.{name}");
            let is_member = functions::known(&name, Form::Member).is_some();
            if functions::known(&full, Form::Global).is_some() || !is_member {
                return self.function(&full, args);
            }
        }
        self.refuse(&name, Form::Member, args.len());
        let is_written = constant::is_written(&target) && args.iter().all(constant::is_written);
        let zone = constant::zone_failure(&name, &args);
        self.faults.extend(zone);
        let made = self.method_of(name, target, args);
        self.tried(is_written, made)
    }

    /// Evaluates a call with only literal arguments at once.
    fn tried(&mut self, is_written: bool, made: IdedExpr) -> IdedExpr {
        if is_written && self.faults.is_empty() {
            self.faults.extend(constant::failure(&made));
        }
        made
    }

    fn method_of(&mut self, name: String, target: IdedExpr, args: Vec<IdedExpr>) -> IdedExpr {
        let mut args: Vec<IdedExpr> = args;
        let target = self.rewrite(target);
        if name == "matches" {
            let pattern = args.pop().map(|pattern| self.pattern(pattern));
            return call("@matches", std::iter::once(target).chain(pattern).collect());
        }
        let args: Vec<IdedExpr> = args.into_iter().map(|arg| self.rewrite(arg)).collect();
        let (target, args) = match name.as_str() {
            "replace" | "join" => {
                let target = if name == "join" { target } else { plain(target) };
                let args = std::iter::once(target).chain(args.into_iter().map(plain)).collect();
                return call(&format!("@{name}"), args);
            }
            "hasValue" | "or" | "orValue" | "value" => (target, args),
            "size" => (target, args),
            "distinct" => (call("@squared", vec![target]), args),
            "flatten" | "slice" | "reverse" | "@sortByAssociatedKeys" => {
                (call("@keep", vec![target]), args.into_iter().map(plain).collect())
            }
            "format" => (plain(target), args.into_iter().map(|arg| call("@printable", vec![arg])).collect()),
            "split" => (call("@text_for_split", vec![target]), args.into_iter().map(plain).collect()),
            "indexOf" | "lastIndexOf" => {
                let sought = args.first().cloned();
                let target = call("@product", std::iter::once(target).chain(sought).collect());
                (target, args.into_iter().map(plain).collect())
            }
            _ => (plain(target), args.into_iter().map(plain).collect()),
        };
        let gives_list = matches!(name.as_str(), "distinct" | "flatten" | "slice" | "reverse" | "sort");
        let made = expr(Expr::Call(CallExpr { func_name: name, target: Some(Box::new(target)), args }));
        if gives_list { call("@keep", vec![made]) } else { made }
    }

    fn function(&mut self, name: &str, mut args: Vec<IdedExpr>) -> IdedExpr {
        self.refuse(name, Form::Global, args.len());
        if name == "matches" {
            let pattern = args.pop().map(|pattern| self.pattern(pattern));
            let value: Vec<IdedExpr> = args.into_iter().map(|arg| self.rewrite(arg)).collect();
            return call("@matches", value.into_iter().chain(pattern).collect());
        }
        let is_written = !args.is_empty() && args.iter().all(constant::is_written);
        let args: Vec<IdedExpr> = args.into_iter().map(|arg| self.rewrite(arg)).collect();
        let wrap =
            |with: &str, args: Vec<IdedExpr>| args.into_iter().map(|arg| call(with, vec![arg])).collect();
        let made = match name {
            "optional.of" => call("@optional_of", args),
            "optional.none" | "dyn" | "epoch" | "size" => call(name, args),
            "optional.ofNonZeroValue" | "string" => call(name, wrap("@keep", args)),
            "lists.range" => call(name, wrap("@count", args)),
            _ => call(name, args.into_iter().map(plain).collect()),
        };
        self.tried(is_written, made)
    }

    /// Compiles a literal pattern at once.
    fn pattern(&mut self, value: IdedExpr) -> IdedExpr {
        let Expr::Literal(LiteralValue::String(written)) = &value.expr else { return self.rewrite(value) };
        match pattern::compile(written.inner()) {
            Ok(compiled) => {
                let name = format!("@pattern{}", self.patterns.len());
                self.patterns.push((name.clone(), Pattern(compiled)));
                ident(&name)
            }
            Err(why) => {
                self.faults.push(format!("matches(): the pattern {:?} {why}", written.inner()));
                value
            }
        }
    }

    fn refuse(&mut self, name: &str, form: Form, arguments: usize) {
        if !name.contains('@') {
            self.faults.extend(functions::refusal(name, form, arguments));
        }
    }

    /// A macro walks its range once; if the range is missing, so is the result.
    fn comprehension(&mut self, walk: ComprehensionExpr) -> IdedExpr {
        let is_binding = matches!(&walk.iter_range.expr, Expr::List(list) if list.elements.is_empty());
        let accu_init = self.rewrite(walk.accu_init);
        let range = self.rewrite(walk.iter_range);
        self.macros = self.macros.saturating_add(1);
        let name = format!("@range{}", self.macros);
        let bound = self.bound.len();
        self.bound.extend([walk.accu_var.clone(), walk.iter_var.clone()]);
        let inner = ComprehensionExpr {
            iter_range: if is_binding { range.clone() } else { call("@range", vec![ident(&name)]) },
            iter_var: walk.iter_var,
            iter_var2: walk.iter_var2,
            loop_cond: self.rewrite(walk.loop_cond),
            loop_step: self.rewrite(walk.loop_step),
            result: self.rewrite(walk.result),
            accu_var: walk.accu_var,
            accu_init: if is_binding { call("@keep", vec![accu_init]) } else { accu_init },
        };
        self.bound.truncate(bound);
        let inner = expr(Expr::Comprehension(Box::new(inner)));
        if is_binding {
            return inner;
        }
        let there = call("@is_there", vec![ident(&name)]);
        let result = call(signs::CONDITIONAL, vec![there, inner, ident(&name)]);
        // A comprehension over an empty list is how CEL binds a variable.
        expr(Expr::Comprehension(Box::new(ComprehensionExpr {
            iter_range: expr(Expr::List(ListExpr::default())),
            iter_var: "@unused".to_owned(),
            iter_var2: None,
            accu_var: name.clone(),
            accu_init: call("@keep", vec![range]),
            loop_cond: expr(Expr::Literal(LiteralValue::Boolean(false.into()))),
            loop_step: ident(&name),
            result,
        })))
    }
}

fn is_logic(name: &str) -> bool {
    [signs::LOGICAL_AND, signs::LOGICAL_OR, signs::LOGICAL_NOT, signs::NOT_STRICTLY_FALSE].contains(&name)
}

/// Wraps a whole expression as a condition.
pub fn as_condition(value: IdedExpr) -> IdedExpr {
    call("@condition", vec![value])
}
