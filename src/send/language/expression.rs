//! CEL expressions, for conditions that a path cannot express. They are compiled with the configuration, limited in
//! cost, and cannot crash the program.

mod ast;
mod budget;
mod constant;
mod fault;
mod functions;
mod json;
mod kind;
mod library;
mod limits;
mod members;
mod number;
mod operators;
mod output;
mod rewrite;
mod slips;
mod tokens;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use cel::common::value::Val;
use cel::{Context, Env, IdedExpr, ParseErrors, Value};
use serde_json::value::RawValue;

use self::functions::Gives;
use self::json::Missing;
use self::library::Pattern;
use self::rewrite::{Rewritten, TYPES};
use self::tokens::Token;
use super::scope::Scope;
use crate::catalog;
use crate::domain::json::Path;
use crate::domain::suggestion;

/// The stack for parsing an expression, which is recursive.
const PARSER_STACK: usize = 16 * 1024 * 1024;
/// The deepest nesting that is evaluated; evaluation is also recursive.
const MAX_NESTING: usize = 250;

/// A compiled expression. Cheap to clone.
#[derive(Clone)]
pub struct Expression(Arc<Compiled>);

struct Compiled {
    source: String,
    program: IdedExpr,
    /// The top-level event members it uses.
    roots: Vec<String>,
    /// The paths it uses.
    paths: Vec<Path>,
    /// Its patterns, by their names in the program.
    patterns: Vec<(String, Pattern)>,
    warnings: Vec<String>,
}

/// Why an expression has no value for an event.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoValue {
    /// The event lacks this.
    #[error("the event lacks {0}")]
    Missing(String),
    /// Evaluation failed: the expression and the reason.
    #[error("{0}")]
    Failed(String),
}

impl Expression {
    /// Compiles `source`, which may return a value of any kind.
    ///
    /// # Errors
    /// One sentence: the source is too long, too deep, not CEL, or calls an unknown function.
    pub fn compile(source: &str) -> Result<Self, String> {
        Self::build(source, false)
    }

    /// Compiles `source` as a condition: missing values count as false.
    ///
    /// # Errors
    /// As for `compile`, and when it can never return true or false.
    pub fn condition(source: &str) -> Result<Self, String> {
        Self::build(source, true)
    }

    fn build(source: &str, decides: bool) -> Result<Self, String> {
        if source.len() > limits::MAX_LENGTH {
            return Err(format!(
                "is {} bytes long; at most {} are allowed",
                source.len(),
                limits::MAX_LENGTH
            ));
        }
        let tokens = tokens::tokens(source)?;
        if let Some(slip) = slips::find(source, &tokens) {
            return Err(slip);
        }
        limits::check(source, &tokens)?;
        let (program, found) = parse(source, decides)?;
        if let Some(fault) = found.faults.first() {
            return Err(fault.clone());
        }
        if ast::depth(&program) > MAX_NESTING {
            return Err("is nested too deeply; split it into several conditions".to_owned());
        }
        let compiled = Compiled {
            source: source.to_owned(),
            program,
            warnings: warnings(&found, &tokens),
            paths: found.paths.iter().filter_map(|path| Path::read(path)).collect(),
            roots: found.roots.into_iter().collect(),
            patterns: found.patterns,
        };
        Ok(Self(Arc::new(compiled)))
    }

    /// The source text.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.0.source
    }

    /// The paths that it speaks of.
    #[must_use]
    pub fn paths(&self) -> &[Path] {
        &self.0.paths
    }

    /// Valid code that is most likely a mistake, one sentence each.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.0.warnings
    }

    /// The value for an event, as JSON.
    ///
    /// # Errors
    /// When the event lacks a needed value, or evaluation fails.
    pub fn evaluate(&self, scope: &Scope) -> Result<Box<RawValue>, NoValue> {
        let failed = |why: &str| NoValue::Failed(format!("{}: {why}", self.0.source));
        // A bug in the library must not crash the sender.
        let value = catch_unwind(AssertUnwindSafe(|| budget::within(|| self.value(scope))))
            .unwrap_or_else(|_| Err("cannot be computed".to_owned()))
            .map_err(|why| failed(&why))?;
        let text = value.map_err(|missing| NoValue::Missing(self.full_path(scope, &missing)))?;
        RawValue::from_string(text).map_err(|fault| failed(&fault.to_string()))
    }

    /// The value as JSON, or the path of the missing value.
    fn value(&self, scope: &Scope) -> Result<Result<String, String>, String> {
        let mut context = Context::with_env(library::environment()?);
        for name in &self.0.roots {
            if let Some(value) = variable(scope, name) {
                context.add_variable_as_val(name.as_str(), value);
            }
        }
        run(&self.0.program, &self.0.patterns, &mut context)
    }

    /// The path in the expression that the event lacks; a macro's own variable has none.
    fn full_path(&self, scope: &Scope, missing: &str) -> String {
        let lacks = |path: &&Path| {
            let is_it = path.text() == missing || path.text().ends_with(&format!(".{missing}"));
            is_it && scope.at(path).is_none()
        };
        self.0.paths.iter().find(lacks).map_or(missing, Path::text).to_owned()
    }
}

impl std::fmt::Debug for Expression {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Expression({})", self.0.source)
    }
}

/// The value of a top-level name; `None` if the name is a CEL type.
fn variable(scope: &Scope, name: &str) -> Option<Box<dyn Val>> {
    match scope.member(name) {
        Some(member) if name == "event" => {
            let others = scope.members().filter(|(name, _)| *name != "event");
            Some(json::event(
                member.get(),
                others.map(|(name, value)| (name.to_owned(), json::value(value.get()))).collect(),
            ))
        }
        Some(member) => Some(json::value(member.get())),
        None if TYPES.contains(&name) => None,
        None => Some(Box::new(Missing::new(name))),
    }
}

/// Evaluates a program: returns JSON, or the path of the missing value.
fn run(
    program: &IdedExpr,
    patterns: &[(String, Pattern)],
    context: &mut Context<'_, '_>,
) -> Result<Result<String, String>, String> {
    for (name, pattern) in patterns {
        context.add_variable_as_val(name.as_str(), pattern.clone_as_boxed());
    }
    let value = Value::resolve_val(program, context).map_err(|error| fault::sentence(&error))?;
    if let Some(missing) = value.downcast_ref::<Missing>() {
        return Ok(Err(missing.path().to_owned()));
    }
    let mut text = String::new();
    output::write(&*value, &mut text)?;
    Ok(Ok(text))
}

/// Parses and rewrites on a stack that is large enough for every expression within the limits.
fn parse(source: &str, decides: bool) -> Result<(IdedExpr, Rewritten), String> {
    let env = library::environment()?;
    let text = source.to_owned();
    std::thread::Builder::new()
        .stack_size(PARSER_STACK)
        .spawn(move || parse_here(&env, &text, decides))
        .map_err(|fault| format!("cannot be compiled now: {fault}"))?
        .join()
        .map_err(|_| "is not a CEL expression".to_owned())?
}

fn parse_here(env: &Env, source: &str, decides: bool) -> Result<(IdedExpr, Rewritten), String> {
    let parsed = env
        .parser()
        .enable_ident_escape_syntax(true)
        .parse(source)
        .map_err(|faults| unreadable(source, &faults))?;
    if decides && let Gives::Other(kind) = kind::gives(&parsed) {
        return Err(format!("gives {kind}, never true or false; compare it, as in data.value > 30"));
    }
    let mut found = Rewritten::default();
    let program = found.rewrite(parsed);
    Ok((if decides { rewrite::as_condition(program) } else { program }, found))
}

/// Reports where the parser stopped; its own message does not help users.
fn unreadable(source: &str, faults: &ParseErrors) -> String {
    let Some(first) = faults.errors.first() else { return "is not a CEL expression".to_owned() };
    if first.msg.contains("has()") {
        return "has() takes a member, as in has(data.value), has(event.alert) or has(data.`soil-moisture`)"
            .to_owned();
    }
    if first.msg.contains("argument") {
        return "the first argument of a list macro is a plain name, as in list.exists(v, v.value > 1)"
            .to_owned();
    }
    let (line, column) =
        (usize::try_from(first.pos.0).unwrap_or(1), usize::try_from(first.pos.1).unwrap_or(0));
    let before: usize =
        source.split_inclusive('\n').take(line.saturating_sub(1)).map(|line| line.chars().count()).sum();
    let at = before.saturating_add(column.saturating_sub(1));
    let rest: String = source.chars().skip(at).take(20).collect();
    if source.trim().is_empty() {
        "is empty".to_owned()
    } else if rest.trim().is_empty() {
        "is not a CEL expression: it ends too early".to_owned()
    } else {
        format!("is not a CEL expression at character {}, near {rest:?}", at.saturating_add(1))
    }
}

/// Top-level names that no catalogue event has, and members with another meaning in JavaScript.
fn warnings(found: &Rewritten, tokens: &[Token<'_>]) -> Vec<String> {
    let known = catalog::top_level_names();
    let mut warnings: Vec<String> = found
        .roots
        .iter()
        .filter(|root| !known.contains(root.as_str()) && !TYPES.contains(&root.as_str()))
        .map(|root| match slips::dashed(tokens, root) {
            Some(member) => {
                format!("no event of the catalogue has {root:?} at its top; if the name has a dash, write {member}")
            }
            None => {
                let near = suggestion(root, known.iter().map(String::as_str));
                format!("no event of the catalogue has {root:?} at its top{near}")
            }
        })
        .collect();
    warnings.extend(found.paths.iter().filter_map(|path| size_of(path)));
    warnings
}

/// The replacement for a path that ends with a JavaScript size, such as `.length`.
pub fn size_of(path: &str) -> Option<String> {
    let value = path.strip_suffix(".length")?;
    Some(format!("{path} is a member of that name; a size is written size({value})"))
}

#[cfg(test)]
mod conformance;
#[cfg(test)]
mod tests;
