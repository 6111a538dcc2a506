//! The function implementations: CEL's standard library and extensions, plus our own. Ours replace functions that
//! could cost too much, or add what JSON needs.

use std::any::Any;
use std::sync::{Arc, LazyLock};

use cel::common::ast::{ComprehensionExpr, Expr, IdedExpr, ListExpr, LiteralValue};
use cel::common::functions::Function;
use cel::common::types::{
    CelBool, CelInt, CelList, CelOptional, CelString, CelTimestamp, DYN_TYPE, INT_TYPE, LIST_TYPE, Type,
};
use cel::common::value::{CowVal, StaticVal, Val};
use cel::parser::Macro;
use cel::{DeclarationError, Env, ExecutionError, ParseError, extensions};
use regex::Regex;

use super::ast::expr;
use super::budget::{OPERATION, price, spend};
use super::fault::{failure, kind_of};
use super::functions::{Form, KNOWN};
use super::json::{Json, MISSING, Missing};
use super::number::JsonNumber;
use super::operators;
use crate::domain::Timestamp;
use crate::send::language::pattern;

static NUMBER: LazyLock<Type> = LazyLock::new(|| JsonNumber::cel_type().to_owned());
static PATTERN: Type = Type::new_unspecified_type("pattern");
/// The price of a byte of a pattern that comes from the event.
const PATTERN_BYTE: usize = 2_000;

type Outcome<'b, 'v> = Result<CowVal<'b, 'v>, ExecutionError>;

/// The environment of every expression.
///
/// # Errors
/// When the library rejects one of our declarations, which a test rules out.
pub fn environment() -> Result<Arc<Env>, String> {
    static ENVIRONMENT: LazyLock<Result<Arc<Env>, String>> =
        LazyLock::new(|| build().map(Arc::new).map_err(|fault| fault.to_string()));
    ENVIRONMENT.clone()
}

fn build() -> Result<Env, DeclarationError> {
    let mut env = Env::stdlib();
    env.add_extension(extensions::strings)?;
    env.add_extension(extensions::math)?;
    env.add_extension(extensions::lists)?;
    env.add_extension(extensions::encoders)?;
    env.add_macro(Macro::receiver("bind", 3, |_, target, args| bind(target.as_ref(), args)))?;
    for (name, arguments, work) in OPERATORS {
        env.add_overload(name, &format!("{name}_{arguments}"), vec_of(*arguments), *work)?;
    }
    env.add_overload("epoch", "epoch", vec_of(1), epoch)?;
    env.add_overload("string", "number_to_string", vec![NUMBER.to_owned()], number_to_string)?;
    for name in ["math.ceil", "math.floor", "math.round", "math.trunc"] {
        env.add_overload(name, &format!("{name}_int"), vec![INT_TYPE], itself)?;
    }
    let of_ints: [(&str, Function); 3] = [("math.isInf", no), ("math.isNaN", no), ("math.isFinite", yes)];
    for (name, work) in of_ints {
        env.add_overload(name, &format!("{name}_int"), vec![INT_TYPE], work)?;
    }
    missing(&mut env)?;
    Ok(env)
}

/// `cel.bind(name, value, expression)`: a comprehension over an empty list, which is how CEL binds a variable.
fn bind(target: Option<&IdedExpr>, args: &mut Vec<IdedExpr>) -> Result<Option<IdedExpr>, ParseError> {
    let is_cel = matches!(target.map(|target| &target.expr), Some(Expr::Ident(name)) if name == "cel");
    let Some(Expr::Ident(name)) = args.first().map(|arg| &arg.expr) else { return Ok(None) };
    if !is_cel {
        return Ok(None);
    }
    let name = name.clone();
    let (Some(result), Some(accu_init)) = (args.pop(), args.pop()) else { return Ok(None) };
    Ok(Some(expr(Expr::Comprehension(Box::new(ComprehensionExpr {
        iter_range: expr(Expr::List(ListExpr::default())),
        iter_var: "@unused".to_owned(),
        iter_var2: None,
        loop_step: expr(Expr::Ident(name.clone())),
        accu_var: name,
        accu_init,
        loop_cond: expr(Expr::Literal(LiteralValue::Boolean(false.into()))),
        result,
    })))))
}

/// The internal names that expressions are rewritten to use. Users cannot type them.
const OPERATORS: &[(&str, usize, Function)] = &[
    ("@add", 2, operators::add),
    ("@subtract", 2, operators::subtract),
    ("@multiply", 2, operators::multiply),
    ("@divide", 2, operators::divide),
    ("@remainder", 2, operators::remainder),
    ("@negate", 1, operators::negate),
    ("@equals", 2, operators::equals),
    ("@differs", 2, operators::differs),
    ("@less", 2, operators::less),
    ("@at_most", 2, operators::at_most),
    ("@greater", 2, operators::greater),
    ("@at_least", 2, operators::at_least),
    ("@within", 2, operators::within),
    ("@has", 2, operators::has),
    ("@select", 2, operators::select),
    ("@optional_select", 2, operators::optional_select),
    ("@condition", 1, operators::condition),
    ("@is_there", 1, operators::is_there),
    ("@range", 1, operators::range),
    ("@keep", 1, operators::keep),
    ("@plain", 1, operators::plain),
    ("@matches", 2, matches),
    ("@replace", 3, replace),
    ("@replace", 4, replace),
    ("@join", 1, join),
    ("@join", 2, join),
    ("@optional_of", 1, optional_of),
    ("@squared", 1, squared),
    ("@product", 2, product),
    ("@text_for_split", 1, text_for_split),
    ("@count", 1, count),
    ("@printable", 1, printable),
];

fn vec_of(arguments: usize) -> Vec<Type> {
    (0..arguments).map(|_| DYN_TYPE).collect()
}

/// Every function gets a second form: a call with a missing argument returns the missing value.
fn missing(env: &mut Env) -> Result<(), DeclarationError> {
    for known in KNOWN {
        let (fewest, most) = known.arguments;
        let own = usize::from(known.form == Form::Member);
        for arguments in fewest..=most {
            for at in 0..arguments + own {
                let mut types = vec_of(arguments + own);
                if let Some(place) = types.get_mut(at) {
                    *place = MISSING;
                }
                let id = format!("{}_missing_{arguments}_{at}", known.name);
                if known.form == Form::Member {
                    let target = types.remove(0);
                    env.add_member_overload(known.name, &id, target, types, hand_on)?;
                } else {
                    env.add_overload(known.name, &id, types, hand_on)?;
                }
            }
        }
    }
    Ok(())
}

fn hand_on<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Outcome<'b, 'v> {
    let mut args = args;
    let at = args.iter().position(|arg| arg.downcast_ref::<Missing>().is_some());
    Ok(args.swap_remove(at.unwrap_or(0)))
}

fn itself<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Outcome<'b, 'v> {
    let [value] = operators::exactly(args)?;
    Ok(value)
}

fn yes<'b, 'v>(_: Vec<CowVal<'b, 'v>>) -> Outcome<'b, 'v> {
    Ok(CowVal::owned(CelBool::from(true)))
}

fn no<'b, 'v>(_: Vec<CowVal<'b, 'v>>) -> Outcome<'b, 'v> {
    Ok(CowVal::owned(CelBool::from(false)))
}

fn number_to_string<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Outcome<'b, 'v> {
    let [value] = operators::exactly(args)?;
    let text = value.downcast_ref::<JsonNumber>().map(JsonNumber::text).unwrap_or_default();
    Ok(CowVal::owned(CelString::from(text)))
}

/// A time as whole seconds since 1970, as in Slack's `ts`. Accepts RFC 3339 text, a timestamp, or a number of seconds
/// or milliseconds.
fn epoch<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Outcome<'b, 'v> {
    /// A larger number of seconds is read as milliseconds: in seconds it would be the year 5138.
    const MILLISECONDS: i64 = 100_000_000_000;
    let [value] = operators::exactly(args)?;
    if value.downcast_ref::<Missing>().is_some() {
        return Ok(value);
    }
    let seconds = if let Some(text) = value.downcast_ref::<CelString>() {
        Timestamp::parse_rfc3339(text.inner()).map(Timestamp::as_secs)
    } else if let Some(time) = value.downcast_ref::<CelTimestamp>() {
        Some(time.inner().timestamp())
    } else {
        let number = JsonNumber::of(&*value).filter(JsonNumber::is_finite);
        let whole = number.and_then(|number| JsonNumber::from_double(number.double().floor()).whole());
        whole
            .and_then(|whole| i64::try_from(whole).ok())
            .map(|whole| if whole.abs() < MILLISECONDS { whole } else { whole.div_euclid(1_000) })
    };
    let expected = "epoch() needs an RFC 3339 time, or a number of seconds or milliseconds";
    seconds.map(|seconds| CowVal::owned(CelInt::from(seconds))).ok_or_else(|| failure(expected))
}

/// A pattern compiled together with its expression.
#[derive(Clone, Debug)]
pub struct Pattern(pub Regex);

impl Val for Pattern {
    fn get_type(&self) -> &Type {
        &PATTERN
    }

    fn cel_type() -> &'static Type {
        &PATTERN
    }

    fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v> {
        Box::new(self.clone())
    }

    fn as_any(&self) -> Option<&dyn Any> {
        Some(self)
    }
}

impl StaticVal for Pattern {}

fn text<'t>(value: &'t dyn Val, function: &str) -> Result<&'t str, ExecutionError> {
    match value.downcast_ref::<CelString>() {
        Some(text) => Ok(text.inner()),
        None => Err(failure(format!("{function}() does not work on {}", kind_of(value)))),
    }
}

fn matches<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Outcome<'b, 'v> {
    if args.iter().any(|arg| arg.downcast_ref::<Missing>().is_some()) {
        return hand_on(args);
    }
    let [value, regex] = operators::exactly(args)?;
    let value = text(&*value, "matches")?;
    spend(value.len())?;
    let holds = match regex.downcast_ref::<Pattern>() {
        Some(compiled) => compiled.0.is_match(value),
        None => {
            let regex = text(&*regex, "matches")?;
            spend(regex.len().saturating_add(1).saturating_mul(PATTERN_BYTE))?;
            let unfit = |why| failure(format!("the pattern {regex:?} {why}"));
            pattern::compile(regex).map_err(unfit)?.is_match(value)
        }
    };
    Ok(CowVal::owned(CelBool::from(holds)))
}

/// `text.replace(old, new[, most])`: the library's own could build terabytes from two long texts.
fn replace<'b, 'v>(mut args: Vec<CowVal<'b, 'v>>) -> Outcome<'b, 'v> {
    if args.iter().any(|arg| arg.downcast_ref::<Missing>().is_some()) {
        return hand_on(args);
    }
    let most = match args.get(3) {
        Some(most) => {
            operators::whole(&**most).ok_or_else(|| failure("replace() needs a whole number as its limit"))?
        }
        None => -1,
    };
    args.truncate(3);
    let [value, old, new] = operators::exactly(args)?;
    let (value, old, new) = (text(&*value, "replace")?, text(&*old, "replace")?, text(&*new, "replace")?);
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    spend(value.len())?;
    let found = value.matches(old).count().min(most);
    spend(found.saturating_mul(new.len().saturating_add(1)).saturating_add(value.len()))?;
    Ok(CowVal::owned(CelString::from(value.replacen(old, new, most))))
}

/// `list.join([separator])`: paid for before the result is built.
fn join<'b, 'v>(mut args: Vec<CowVal<'b, 'v>>) -> Outcome<'b, 'v> {
    if args.iter().any(|arg| arg.downcast_ref::<Missing>().is_some()) {
        return hand_on(args);
    }
    let separator = if args.len() > 1 { args.pop() } else { None };
    let separator = match &separator {
        Some(separator) => text(&**separator, "join")?,
        None => "",
    };
    let [list] = operators::exactly(args)?;
    let unfit = || failure(format!("join() does not work on {}", kind_of(&*list)));
    let mut items = list.as_iterable().filter(|_| *list.get_type() == LIST_TYPE).ok_or_else(unfit)?.iter();
    let mut joined = String::new();
    let mut is_first = true;
    while let Some(item) = items.next() {
        let number = item.downcast_ref::<JsonNumber>();
        if number.is_some() || item.downcast_ref::<CelString>().is_none() {
            let kind = kind_of(item);
            return Err(failure(format!(
                "join() needs a list of texts, here an item is {kind}; write list.map(v, string(v))"
            )));
        }
        let item = text(item, "join")?;
        spend(item.len().saturating_add(separator.len()).saturating_add(1))?;
        if !is_first {
            joined.push_str(separator);
        }
        is_first = false;
        joined.push_str(item);
    }
    Ok(CowVal::owned(CelString::from(joined)))
}

/// `optional.of(value)`: a missing value gives an empty optional.
fn optional_of<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Outcome<'b, 'v> {
    let [value] = operators::exactly(args)?;
    if value.downcast_ref::<Missing>().is_some() {
        return Ok(CowVal::owned(CelOptional::none()));
    }
    spend(price(&*value))?;
    Ok(CowVal::owned(CelOptional::of(value.into_owned())))
}

/// Pays for work that grows with the square of a list's length.
fn squared<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Outcome<'b, 'v> {
    let [value] = operators::exactly(args)?;
    let size = value.as_sizer().and_then(|sizer| usize::try_from(*sizer.size().inner()).ok()).unwrap_or(0);
    spend(size.saturating_mul(size))?;
    Ok(value)
}

/// Pays for a search whose cost is the product of two text lengths.
fn product<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Outcome<'b, 'v> {
    let [value, other] = operators::exactly(args)?;
    let length = |value: &dyn Val| value.downcast_ref::<CelString>().map_or(0, |text| text.inner().len());
    spend(length(&*value).saturating_mul(length(&*other)))?;
    Ok(value)
}

/// Pays for the items that a text may be split into.
fn text_for_split<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Outcome<'b, 'v> {
    let [value] = operators::exactly(args)?;
    spend(price(&*value).saturating_mul(OPERATION))?;
    Ok(value)
}

/// Pays for a list of that length.
fn count<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Outcome<'b, 'v> {
    let value = operators::plain(args)?;
    let items = operators::whole(&*value).and_then(|items| usize::try_from(items).ok()).unwrap_or(0);
    spend(items.saturating_mul(OPERATION))?;
    Ok(value)
}

/// The arguments of `'%s'.format([…])`: numbers outside CEL's types become their text, event lists and objects their
/// JSON.
fn printable<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Outcome<'b, 'v> {
    let [value] = operators::exactly(args)?;
    spend(price(&*value))?;
    let Some(list) = value.as_iterable().filter(|_| *value.get_type() == LIST_TYPE) else { return Ok(value) };
    let mut items = list.iter();
    let mut printed: Vec<Box<dyn Val + 'v>> = Vec::new();
    while let Some(item) = items.next() {
        printed.push(printable_item(item)?);
    }
    Ok(CowVal::owned(CelList::from(printed)))
}

fn printable_item<'v>(item: &(dyn Val + 'v)) -> Result<Box<dyn Val + 'v>, ExecutionError> {
    spend(OPERATION)?;
    if let Some(number) = item.downcast_ref::<JsonNumber>() {
        let is_beyond = number.whole().is_some() && !number.is_int();
        return Ok(if is_beyond { Box::new(CelString::from(number.text())) } else { number.plain() });
    }
    if let Some(json) = item.downcast_ref::<Json>() {
        spend(json.text().len())?;
        return Ok(Box::new(CelString::from(json.text().to_owned())));
    }
    let Some(list) = item.downcast_ref::<CelList>() else { return Ok(item.clone_as_boxed()) };
    let mut items: Vec<Box<dyn Val>> = Vec::new();
    for item in list.inner() {
        items.push(printable_item(item.as_ref())?);
    }
    Ok(Box::new(CelList::from(items)))
}
