//! Event values for expressions. Lists and objects keep their order, are parsed lazily, and are passed on as written.
//! Missing values are values of their own.

use std::any::Any;
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use cel::ExecutionError;
use cel::common::traits::{self, Iterable, Sizer, Zeroer};
use cel::common::types::{CelBool, CelInt, CelNull, CelString, Kind, LIST_TYPE, MAP_TYPE, Type};
use cel::common::value::{CowVal, StaticVal, Val};
use serde_json::value::RawValue;

use super::budget::{OPERATION, price, spend};
use super::number::JsonNumber;
use crate::domain::json::Members;

/// The type of missing values.
pub const MISSING: Type = Type::new_unspecified_type("missing");
static MISSING_TYPE: Type = MISSING;

/// A value as seen by an expression.
type Member = Box<dyn Val>;

/// The methods CEL requires of every value; `$more` are those specific to this type.
macro_rules! value_of_an_event {
    ($name:ty, $class:ident, |$value:ident| $class_of:expr, { $($more:tt)* }) => {
        impl Val for $name {
            fn get_type(&self) -> &Type {
                let $value = self;
                $class_of
            }

            fn cel_type() -> &'static Type {
                &$class
            }

            fn as_zeroer(&self) -> Option<&dyn Zeroer> {
                Some(self)
            }

            fn equals(&self, other: &dyn Val) -> bool {
                same(self, other).unwrap_or(false)
            }

            fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v> {
                Box::new(self.clone())
            }

            fn as_any(&self) -> Option<&dyn Any> {
                Some(self)
            }

            $($more)*
        }

        impl StaticVal for $name {}
    };
}

/// A part of a JSON text that shares the whole text.
#[derive(Clone, Debug)]
struct Slice {
    whole: Arc<str>,
    start: usize,
    end: usize,
}

impl Slice {
    fn new(text: &str) -> Self {
        Self { whole: Arc::from(text), start: 0, end: text.len() }
    }

    fn text(&self) -> &str {
        self.whole.get(self.start..self.end).unwrap_or_default()
    }

    /// The slice for `piece`, which borrows from the whole text.
    fn piece(&self, piece: &str) -> Self {
        let start = piece.as_ptr().addr().checked_sub(self.whole.as_ptr().addr());
        let end = start.and_then(|start| start.checked_add(piece.len()));
        match (start, end) {
            (Some(start), Some(end)) if self.whole.get(start..end) == Some(piece) => {
                Self { whole: Arc::clone(&self.whole), start, end }
            }
            _ => Self::new(piece),
        }
    }
}

/// A list or an object of an event. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Json(Arc<Node>);

#[derive(Debug)]
struct Node {
    text: Slice,
    /// Extra members: found by name, but neither listed nor printed.
    beside: Vec<(String, Member)>,
    content: OnceLock<Content>,
}

#[derive(Debug)]
enum Content {
    List(Vec<Member>),
    Map { members: Vec<(CelString<'static>, Member)>, places: HashMap<String, usize> },
}

/// The value of a JSON text.
pub fn value(json: &str) -> Member {
    read(&Slice::new(json))
}

/// The whole event: its own members and those of the payload, so that `'alert' in event` works as expected.
pub fn event(json: &str, beside: Vec<(String, Member)>) -> Member {
    Box::new(Json(Arc::new(Node { text: Slice::new(json), beside, content: OnceLock::new() })))
}

fn read(json: &Slice) -> Member {
    let text = json.text();
    match text.as_bytes().first() {
        Some(b'{' | b'[') => Box::new(Json(Arc::new(Node {
            text: json.clone(),
            beside: Vec::new(),
            content: OnceLock::new(),
        }))),
        Some(b'"') => Box::new(CelString::from(serde_json::from_str::<String>(text).unwrap_or_default())),
        Some(b't') => Box::new(CelBool::from(true)),
        Some(b'f') => Box::new(CelBool::from(false)),
        Some(b'n') => Box::new(CelNull),
        _ => match JsonNumber::read(text) {
            Some(number) => Box::new(number),
            None => Box::new(CelNull),
        },
    }
}

impl Json {
    /// The original text.
    #[must_use]
    pub fn text(&self) -> &str {
        self.0.text.text()
    }

    /// Whether it is a list.
    #[must_use]
    pub fn is_list(&self) -> bool {
        self.text().starts_with('[')
    }

    /// The items of a list; empty for an object.
    #[must_use]
    pub fn items(&self) -> &[Member] {
        if let Content::List(items) = self.content() { items } else { &[] }
    }

    /// The member with that name; the last one if a name occurs twice.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<&(dyn Val + 'static)> {
        let Content::Map { members, places } = self.content() else { return None };
        let own = places.get(name).and_then(|place| members.get(*place)).map(|(_, value)| &**value);
        own.or_else(|| self.0.beside.iter().find(|(known, _)| known == name).map(|(_, value)| &**value))
    }

    /// The item at an index.
    #[must_use]
    pub fn item(&self, at: i128) -> Option<&(dyn Val + 'static)> {
        self.items().get(usize::try_from(at).ok()?).map(|item| &**item)
    }

    fn content(&self) -> &Content {
        self.0.content.get_or_init(|| self.read_content())
    }

    fn read_content(&self) -> Content {
        let whole = &self.0.text;
        if self.is_list() {
            let items: Vec<&RawValue> = serde_json::from_str(whole.text()).unwrap_or_default();
            return Content::List(items.into_iter().map(|item| read(&whole.piece(item.get()))).collect());
        }
        let found = serde_json::from_str::<Members<&RawValue>>(whole.text()).map(|members| members.0);
        let mut members = Vec::new();
        let mut places = HashMap::new();
        for (name, value) in found.unwrap_or_default() {
            places.insert(name.clone(), members.len());
            members.push((CelString::from(name), read(&whole.piece(value.get()))));
        }
        Content::Map { members, places }
    }

    fn count(&self) -> usize {
        match self.content() {
            Content::List(items) => items.len(),
            Content::Map { members, .. } => members.len(),
        }
    }
}

struct Items<'b>(std::slice::Iter<'b, Member>);

impl<'b, 'v> traits::Iterator<'b, 'v> for Items<'b> {
    fn next(&mut self) -> Option<&'b (dyn Val + 'v)> {
        let item: &'b (dyn Val + 'v) = &**self.0.next()?;
        Some(item)
    }
}

struct Names<'b>(std::slice::Iter<'b, (CelString<'static>, Member)>);

impl<'b, 'v> traits::Iterator<'b, 'v> for Names<'b> {
    fn next(&mut self) -> Option<&'b (dyn Val + 'v)> {
        let (name, _) = self.0.next()?;
        Some(name)
    }
}

impl Iterable for Json {
    fn iter<'b, 'v>(&'b self) -> Box<dyn traits::Iterator<'b, 'v> + 'b>
    where
        Self: 'v,
    {
        match self.content() {
            Content::List(items) => Box::new(Items(items.iter())),
            Content::Map { members, .. } => Box::new(Names(members.iter())),
        }
    }
}

impl Sizer for Json {
    fn size(&self) -> CelInt {
        CelInt::from(i64::try_from(self.count()).unwrap_or(i64::MAX))
    }
}

impl Zeroer for Json {
    fn is_zero_value(&self) -> bool {
        self.count() == 0
    }
}

value_of_an_event!(Json, MAP_TYPE, |json| if json.is_list() { &LIST_TYPE } else { &MAP_TYPE }, {
    fn as_iterable<'b, 'v>(&'b self) -> Option<&'b (dyn Iterable + 'v)>
    where
        Self: 'v,
    {
        Some(self)
    }

    fn as_sizer(&self) -> Option<&dyn Sizer> {
        Some(self)
    }
});

/// A missing value, with the path that led to it. Everything computed from it is missing too, until a comparison, a
/// condition or `has()` decides.
#[derive(Clone, Debug)]
pub struct Missing(Arc<str>);

impl Missing {
    /// A missing value with this path.
    #[must_use]
    pub fn new(path: &str) -> Self {
        Self(Arc::from(path))
    }

    /// The path that led to it.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.0
    }

    /// The missing member below it.
    #[must_use]
    pub fn below(&self, name: &str) -> Self {
        Self(Arc::from(format!("{}.{name}", self.0)))
    }
}

impl Zeroer for Missing {
    fn is_zero_value(&self) -> bool {
        true
    }
}

value_of_an_event!(Missing, MISSING_TYPE, |_missing| &MISSING_TYPE, {});

/// Whether a value is missing in the event.
pub fn is_missing(value: &dyn Val) -> bool {
    value.downcast_ref::<Missing>().is_some()
}

/// Whether a value is null.
pub fn is_null(value: &dyn Val) -> bool {
    value.downcast_ref::<CelNull>().is_some()
}

/// Whether two values are equal, by JSON rules: numbers by amount, lists item by item, objects by member. A missing
/// value equals only null and other missing values.
///
/// # Errors
/// When the comparison takes too much work.
pub fn same(left: &dyn Val, right: &dyn Val) -> Result<bool, ExecutionError> {
    spend(OPERATION)?;
    if is_missing(left) || is_missing(right) {
        return Ok((is_missing(left) || is_null(left)) && (is_missing(right) || is_null(right)));
    }
    if left.downcast_ref::<JsonNumber>().is_some() {
        return Ok(left.equals(right));
    }
    if right.downcast_ref::<JsonNumber>().is_some() {
        return Ok(right.equals(left));
    }
    match (left.get_type().kind(), right.get_type().kind()) {
        (Kind::List, Kind::List) => same_lists(left, right),
        (Kind::Map, Kind::Map) => same_maps(left, right),
        (Kind::String, Kind::String) => {
            spend(price(left))?;
            Ok(left.equals(right))
        }
        _ => Ok(left.equals(right)),
    }
}

fn size(value: &dyn Val) -> Option<i64> {
    value.as_sizer().map(|sizer| *sizer.size().inner())
}

fn same_lists(left: &dyn Val, right: &dyn Val) -> Result<bool, ExecutionError> {
    let (Some(one), Some(other)) = (left.as_iterable(), right.as_iterable()) else { return Ok(false) };
    if size(left) != size(right) {
        return Ok(false);
    }
    let (mut one, mut other) = (one.iter(), other.iter());
    while let (Some(left), Some(right)) = (one.next(), other.next()) {
        if !same(left, right)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn same_maps(left: &dyn Val, right: &dyn Val) -> Result<bool, ExecutionError> {
    let Some(keys) = left.as_iterable() else { return Ok(false) };
    if size(left) != size(right) {
        return Ok(false);
    }
    let mut keys = keys.iter();
    while let Some(key) = keys.next() {
        let (Some(one), Some(other)) = (member(left, key), member(right, key)) else { return Ok(false) };
        if !same(&*one, &*other)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The member of an object of any kind.
fn member<'b>(map: &'b dyn Val, key: &dyn Val) -> Option<CowVal<'b, 'b>> {
    if let Some(json) = map.downcast_ref::<Json>() {
        return json.member(key.downcast_ref::<CelString>()?.inner()).map(CowVal::Borrowed);
    }
    map.as_indexer()?.get(key).ok()
}

/// The key of an object as text, which also determines the sort order.
pub fn key_text(key: &dyn Val) -> String {
    match (key.downcast_ref::<CelString>(), JsonNumber::of(key), key.downcast_ref::<CelBool>()) {
        (Some(text), ..) => text.inner().to_owned(),
        (_, Some(number), _) => number.text(),
        (_, _, Some(truth)) => truth.inner().to_string(),
        _ => String::new(),
    }
}
