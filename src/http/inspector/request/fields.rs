//! The members of a request: read strictly into structs. Unknown, repeated and unreadable ones are faults.

use std::cell::RefCell;

use serde::de::DeserializeOwned;

use super::fault::Mismatch;
use super::value::{Member, Names, Struct};
use crate::domain::json::{not_an_object, pointer, unique_members};
use crate::http::inspector::json_body::MAX_BODY;
use crate::http::inspector::problem::{FieldFault, Problem};

/// The maximum length of a parameter, in bytes.
const MAX_VALUE: usize = 1024;
/// The maximum length of a list of ids: 200 of them, with a comma and a space after each.
const MAX_IDS: usize = 200 * 38;

/// The meaning of an empty parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blank {
    /// A fault, for programs.
    Fault,
    /// Absent, for forms, which send every field.
    Absent,
}

/// A struct of optional fields that is read from the members of a request.
pub trait Members: DeserializeOwned + Default {
    /// What an empty parameter means.
    const BLANK: Blank = Blank::Fault;
}

/// What is read from the members of a request: one struct or several.
pub trait Readable: Sized {
    /// What an empty parameter means.
    const BLANK: Blank = Blank::Fault;

    /// The maximum size of a body with it, in bytes.
    const MAX_BODY: usize = MAX_BODY;

    /// Reads it. What cannot be read is left out here, and a fault of the request.
    fn read(fields: &mut Fields) -> Self;
}

impl<T: Members> Readable for T {
    const BLANK: Blank = <T as Members>::BLANK;

    fn read(fields: &mut Fields) -> Self {
        fields.take()
    }
}

impl<A: Members, B: Members> Readable for (A, B) {
    fn read(fields: &mut Fields) -> Self {
        (fields.take(), fields.take())
    }
}

impl<A: Members, B: Members, C: Members> Readable for (A, B, C) {
    fn read(fields: &mut Fields) -> Self {
        (fields.take(), fields.take(), fields.take())
    }
}

/// The members of a request that are not read yet.
#[derive(Debug)]
pub struct Fields {
    left: Vec<(String, Member)>,
    known: Vec<&'static str>,
    faults: Vec<FieldFault>,
    is_query: bool,
}

impl Fields {
    fn empty(is_query: bool) -> Self {
        Self { left: Vec::new(), known: Vec::new(), faults: Vec::new(), is_query }
    }

    /// The parameters of a query.
    #[must_use]
    pub fn of_query(query: &str, blank: Blank) -> Self {
        let mut fields = Self::empty(true);
        for (name, value) in form_urlencoded::parse(query.as_bytes()).into_owned() {
            let most = if name == "ids" { MAX_IDS } else { MAX_VALUE };
            if value.is_empty() && blank == Blank::Absent {
                continue;
            }
            if value.is_empty() {
                fields.fault(&name, "is empty; leave it out instead");
            } else if value.len() > most {
                fields.fault(&name, &format!("is longer than {most} bytes"));
            } else if fields.left.iter().any(|(known, _)| *known == name) {
                fields.fault(&name, "is given twice");
            } else {
                fields.left.push((name, Member::Text(value)));
            }
        }
        fields
    }

    /// The members of a JSON object.
    ///
    /// # Errors
    /// 400 if it is not an object, or a name appears twice.
    pub fn of_json(text: &str) -> Result<Self, Problem> {
        let members = unique_members(text).map_err(|wrong| {
            let message = not_an_object(text, &wrong);
            Problem::bad_body(vec![FieldFault { pointer: String::new(), message }])
        })?;
        let mut fields = Self::empty(false);
        fields.left = members.into_iter().map(|(name, raw)| (name, Member::Json(raw))).collect();
        Ok(fields)
    }

    /// The fields of a form that are filled in, and those of `kept` even if they are empty. Of a repeated field the first
    /// one counts.
    #[must_use]
    pub fn of_form(form: &[u8], kept: &[&str]) -> Self {
        let mut fields = Self::empty(false);
        for (name, value) in form_urlencoded::parse(form) {
            let is_new = !fields.left.iter().any(|(known, _)| *known == name);
            if is_new && (!value.is_empty() || kept.contains(&name.as_ref())) {
                fields.left.push((name.into_owned(), Member::Field(value.replace("\r\n", "\n"))));
            }
        }
        fields
    }

    /// Takes the members that are fields of `T`. Those that cannot be read are left out, and are faults.
    pub fn take<T: Members>(&mut self) -> T {
        self.take_without(&[])
    }

    /// The same without some of its fields, which are something else here.
    pub fn take_without<T: Members>(&mut self, without: &[&str]) -> T {
        let names: Vec<&'static str> =
            names_of::<T>().iter().filter(|name| !without.contains(name)).copied().collect();
        let mut own = Vec::new();
        for name in &names {
            if let Some(at) = self.left.iter().position(|(known, _)| known == name) {
                own.push(self.left.swap_remove(at));
            }
        }
        self.known.extend(names);
        self.read_own(own)
    }

    /// The same, also from a JSON value: an object of all its fields, or a text that is its field
    /// `text`.
    pub fn take_with<T: Members>(&mut self, more: &str, text: Option<&str>, without: &[&str]) -> T {
        let inner = match (unique_members(more), text) {
            (Ok(inner), _) => inner,
            (Err(_), Some(name)) if more.starts_with('"') => {
                unique_members(&format!("{{\"{name}\":{more}}}")).unwrap_or_default()
            }
            (Err(_), Some(_)) => {
                self.fault("filter", "an object of a list's parameters, or a query in quotes");
                return self.take_without(without);
            }
            (Err(_), None) => {
                self.fault("filter", "an object");
                return self.take_without(without);
            }
        };
        let names = names_of::<T>();
        let mut own = Vec::new();
        for name in names {
            let beside = self.left.iter().position(|(known, _)| known == name && !without.contains(name));
            match (inner.get(*name), beside.map(|at| self.left.swap_remove(at))) {
                (Some(_), Some(_)) => self.fault(name, "is given twice"),
                (Some(raw), None) => own.push(((*name).to_owned(), Member::Json(raw.clone()))),
                (None, Some(beside)) => own.push(beside),
                (None, None) => {}
            }
        }
        let unknown = inner.keys().filter(|key| !names.contains(&key.as_str()));
        for key in unknown.cloned().collect::<Vec<_>>() {
            self.fault(&key, &format!("unknown key; there are: {}", names.join(", ")));
        }
        self.known.extend(names.iter().filter(|name| !without.contains(name)));
        self.read_own(own)
    }

    fn read_own<T: Members>(&mut self, mut own: Vec<(String, Member)>) -> T {
        loop {
            let at = RefCell::new(None);
            let mismatch = match T::deserialize(Struct { members: &own, at: &at }) {
                Ok(read) => return read,
                Err(mismatch) => mismatch,
            };
            let Some(name) = at.into_inner() else { return T::default() };
            let message = match mismatch {
                Mismatch::Expected(what) if self.is_query => format!("cannot be read: expected {what}"),
                Mismatch::Wrong(what) if self.is_query => format!("cannot be read: {what}"),
                Mismatch::Expected(what) | Mismatch::Wrong(what) => what,
            };
            self.fault(&name, &message);
            own.retain(|(known, _)| *known != name);
        }
    }

    /// Another fault of a member.
    pub fn fault(&mut self, name: &str, message: &str) {
        let pointer = if name.is_empty() { String::new() } else { pointer::child("", name) };
        let message = if self.is_query { format!("{name} {message}") } else { message.to_owned() };
        self.faults.push(FieldFault { pointer, message });
    }

    /// That a member is missing, unless it is there and cannot be read.
    pub fn missing(&mut self, name: &str) {
        let pointer = pointer::child("", name);
        if !self.faults.iter().any(|fault| fault.pointer == pointer) {
            self.fault(name, "is missing");
        }
    }

    /// A fault deeper in the body.
    pub fn fault_at(&mut self, pointer: String, message: &str) {
        self.faults.push(FieldFault { pointer, message: message.to_owned() });
    }

    /// Every fault, unknown members included.
    ///
    /// # Errors
    /// 400 if there is one.
    pub fn finish(mut self) -> Result<(), Problem> {
        let known = if self.known.is_empty() { "none".to_owned() } else { self.known.join(", ") };
        let what = if self.is_query { "is not a parameter here" } else { "unknown key" };
        for (name, _) in std::mem::take(&mut self.left) {
            self.fault(&name, &format!("{what}; there are: {known}"));
        }
        match (self.faults.is_empty(), self.is_query) {
            (true, _) => Ok(()),
            (false, true) => Err(Problem::bad_parameters(self.faults)),
            (false, false) => Err(Problem::bad_body(self.faults)),
        }
    }

    /// The faults of members that were read; others do not matter, as on a form with fields of its own.
    ///
    /// # Errors
    /// 400 if there is one.
    pub fn finish_form(mut self) -> Result<(), Problem> {
        self.left.clear();
        self.finish()
    }

    /// Reads everything.
    ///
    /// # Errors
    /// 400 with every fault.
    pub fn read<T: Readable>(mut self) -> Result<T, Problem> {
        let read = T::read(&mut self);
        self.finish()?;
        Ok(read)
    }
}

/// The names of a struct's fields.
fn names_of<T: Members>() -> &'static [&'static str] {
    let names = RefCell::new(&[][..]);
    drop(T::deserialize(Names(&names)));
    names.into_inner()
}
