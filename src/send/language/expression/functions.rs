//! The functions that an expression may call: names, numbers of arguments, and result kinds. The library cannot list
//! its own functions; a test compares them with this list.

use crate::domain::distance;

/// The kind of a call's result, as far as the name determines it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gives {
    /// True or false.
    Truth,
    /// A kind that is never true or false.
    Other(&'static str),
    /// It depends on the event.
    Unknown,
}

/// The call syntax of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `size(list)`
    Global,
    /// `text.contains('x')`
    Member,
}

/// One function.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    /// Its name, with its namespace.
    pub name: &'static str,
    /// How it is called.
    pub form: Form,
    /// The minimum and maximum number of arguments, without the receiver.
    pub arguments: (usize, usize),
    /// The kind of its result.
    pub gives: Gives,
}

const TEXT: Gives = Gives::Other("text");
const NUMBER: Gives = Gives::Other("a number");
const LIST: Gives = Gives::Other("a list");
const TIME: Gives = Gives::Other("a time");

const fn global(name: &'static str, arguments: usize, gives: Gives) -> Known {
    Known { name, form: Form::Global, arguments: (arguments, arguments), gives }
}

const fn member(name: &'static str, fewest: usize, most: usize, gives: Gives) -> Known {
    Known { name, form: Form::Member, arguments: (fewest, most), gives }
}

/// Every function, sorted by name within its form.
pub const KNOWN: &[Known] = &[
    global("base64.decode", 1, Gives::Other("bytes")),
    global("base64.encode", 1, TEXT),
    global("bool", 1, Gives::Truth),
    global("bytes", 1, Gives::Other("bytes")),
    global("double", 1, NUMBER),
    global("duration", 1, Gives::Other("a duration")),
    global("dyn", 1, Gives::Unknown),
    global("epoch", 1, NUMBER),
    global("int", 1, NUMBER),
    global("lists.range", 1, LIST),
    global("matches", 2, Gives::Truth),
    global("math.abs", 1, NUMBER),
    global("math.bitAnd", 2, NUMBER),
    global("math.bitNot", 1, NUMBER),
    global("math.bitOr", 2, NUMBER),
    global("math.bitShiftLeft", 2, NUMBER),
    global("math.bitShiftRight", 2, NUMBER),
    global("math.bitXor", 2, NUMBER),
    global("math.ceil", 1, NUMBER),
    global("math.floor", 1, NUMBER),
    global("math.isFinite", 1, Gives::Truth),
    global("math.isInf", 1, Gives::Truth),
    global("math.isNaN", 1, Gives::Truth),
    global("math.round", 1, NUMBER),
    global("math.sign", 1, NUMBER),
    global("math.sqrt", 1, NUMBER),
    global("math.trunc", 1, NUMBER),
    global("optional.none", 0, Gives::Unknown),
    global("optional.of", 1, Gives::Unknown),
    global("optional.ofNonZeroValue", 1, Gives::Unknown),
    global("size", 1, NUMBER),
    global("string", 1, TEXT),
    global("strings.quote", 1, TEXT),
    global("timestamp", 1, TIME),
    global("type", 1, Gives::Other("a type")),
    global("uint", 1, NUMBER),
    member("charAt", 1, 1, TEXT),
    member("contains", 1, 1, Gives::Truth),
    member("distinct", 0, 0, LIST),
    member("endsWith", 1, 1, Gives::Truth),
    member("flatten", 0, 1, LIST),
    member("format", 1, 1, TEXT),
    member("getDate", 0, 1, NUMBER),
    member("getDayOfMonth", 0, 1, NUMBER),
    member("getDayOfWeek", 0, 1, NUMBER),
    member("getDayOfYear", 0, 1, NUMBER),
    member("getFullYear", 0, 1, NUMBER),
    member("getHours", 0, 1, NUMBER),
    member("getMilliseconds", 0, 1, NUMBER),
    member("getMinutes", 0, 1, NUMBER),
    member("getMonth", 0, 1, NUMBER),
    member("getSeconds", 0, 1, NUMBER),
    member("hasValue", 0, 0, Gives::Truth),
    member("indexOf", 1, 2, NUMBER),
    member("join", 0, 1, TEXT),
    member("lastIndexOf", 1, 2, NUMBER),
    member("lowerAscii", 0, 0, TEXT),
    member("matches", 1, 1, Gives::Truth),
    member("or", 1, 1, Gives::Unknown),
    member("orValue", 1, 1, Gives::Unknown),
    member("replace", 2, 3, TEXT),
    member("reverse", 0, 0, Gives::Other("text or a list")),
    member("size", 0, 0, NUMBER),
    member("slice", 2, 2, LIST),
    member("sort", 0, 0, LIST),
    member("split", 1, 2, LIST),
    member("startsWith", 1, 1, Gives::Truth),
    member("substring", 1, 2, TEXT),
    member("trim", 0, 0, TEXT),
    member("upperAscii", 0, 0, TEXT),
    member("value", 0, 0, Gives::Unknown),
];

/// Macros, which look like functions: their names, call syntax, and an example.
const MACROS: &[(&str, Form, &str)] = &[
    ("all", Form::Member, "list.all(v, v.value > 1)"),
    ("cel.bind", Form::Global, "cel.bind(f, data.value * 1.8, f > 30 && f < 50)"),
    ("exists", Form::Member, "list.exists(v, v.value > 1)"),
    ("existsOne", Form::Member, "list.existsOne(v, v.value > 1)"),
    ("exists_one", Form::Member, "list.exists_one(v, v.value > 1)"),
    ("filter", Form::Member, "list.filter(v, v.value > 1)"),
    ("has", Form::Global, "has(data.value)"),
    ("map", Form::Member, "list.map(v, v.value)"),
    ("math.greatest", Form::Global, "math.greatest(a, b)"),
    ("math.least", Form::Global, "math.least(a, b)"),
    ("optFlatMap", Form::Member, "data.?value.optFlatMap(v, v.?unit)"),
    ("optMap", Form::Member, "data.?value.optMap(v, v * 2)"),
    ("sortBy", Form::Member, "list.sortBy(v, v.value)"),
];

/// Function names from other languages, and their names here.
const ELSEWHERE: &[(&str, &str)] = &[
    ("abs", "math.abs(x)"),
    ("ceil", "math.ceil(x)"),
    ("concat", "+"),
    ("count", "size"),
    ("date", "timestamp"),
    ("every", "all"),
    ("find", "list.filter(v, …)[0]"),
    ("floor", "math.floor(x)"),
    ("getTime", "epoch(x)"),
    ("if", "condition ? a : b"),
    ("includes", "contains"),
    ("isNaN", "math.isNaN(x)"),
    ("len", "size"),
    ("length", "size"),
    ("lower", "lowerAscii"),
    ("match", "matches"),
    ("max", "math.greatest(a, b)"),
    ("min", "math.least(a, b)"),
    ("now", "event.timestamp"),
    ("number", "double"),
    ("parseFloat", "double"),
    ("parseInt", "int"),
    ("pow", "x * x"),
    ("round", "math.round(x)"),
    ("some", "exists"),
    ("sqrt", "math.sqrt(x)"),
    ("str", "string"),
    ("substr", "substring"),
    ("test", "matches"),
    ("toFixed", "'%.2f'.format([x])"),
    ("toLowerCase", "lowerAscii"),
    ("toString", "string"),
    ("toUpperCase", "upperAscii"),
    ("upper", "upperAscii"),
];

/// The function with that name and form, whatever its arguments.
pub fn known(name: &str, form: Form) -> Option<&'static Known> {
    KNOWN.iter().find(|known| known.name == name && known.form == form)
}

/// Whether `name` is a namespace of functions: `math`, `strings`.
pub fn is_namespace(name: &str) -> bool {
    let names = KNOWN.iter().map(|known| known.name).chain(MACROS.iter().map(|(name, ..)| *name));
    names.filter_map(|known| known.split_once('.')).any(|(namespace, _)| namespace == name)
}

/// Why a call is invalid; `None` if it is valid.
pub fn refusal(name: &str, form: Form, arguments: usize) -> Option<String> {
    if let Some(known) = known(name, form) {
        let (fewest, most) = known.arguments;
        let takes = match (fewest, most) {
            (0, 0) => "no arguments".to_owned(),
            (1, 1) => "1 argument".to_owned(),
            (fewest, most) if fewest == most => format!("{most} arguments"),
            (fewest, most) => format!("{fewest} or {most} arguments"),
        };
        return (arguments < fewest || arguments > most)
            .then(|| format!("{name}() takes {takes}, here it has {arguments}"));
    }
    if let Some((_, _, example)) = MACROS.iter().find(|(known, ..)| *known == name) {
        return Some(format!("{name}() is written as in {example}"));
    }
    let other = if form == Form::Global { Form::Member } else { Form::Global };
    if known(name, other).is_some() {
        let example = if other == Form::Member { format!("x.{name}(…)") } else { format!("{name}(x)") };
        return Some(format!("{name}() is called as in {example}"));
    }
    Some(unknown(name, form))
}

fn unknown(name: &str, form: Form) -> String {
    let names = KNOWN.iter().map(|known| (known.name, known.form));
    let names = names.chain(MACROS.iter().map(|(name, form, _)| (*name, *form)));
    let elsewhere =
        ELSEWHERE.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, here)| *here);
    let near = names
        .clone()
        .map(|(known, _)| (distance(&name.to_lowercase(), &known.to_lowercase()), known))
        .filter(|(distance, _)| *distance <= name.len() / 3)
        .min()
        .map(|(_, known)| known);
    let hint = elsewhere.or(near).map_or(".".to_owned(), |near| format!("; did you mean {near}?"));
    let mut there: Vec<&str> = names.filter(|(_, known)| *known == form).map(|(name, _)| name).collect();
    there.sort_unstable();
    there.dedup();
    format!("there is no function {name}{hint} There are {}", there.join(", "))
}
