//! STUB until the room is merged.
#![allow(missing_docs)]
use super::scope::Scope;
use serde_json::value::RawValue;
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub pointer: String,
    pub message: String,
}
#[derive(Clone, Debug)]
pub struct Template(String);
#[derive(Clone, Debug)]
pub struct Rendered {
    pub text: String,
    pub missing: Vec<String>,
    pub errors: Vec<String>,
}
impl Template {
    pub fn compile(template: &RawValue) -> Result<(Self, Vec<String>), Vec<Fault>> {
        Ok((Self(template.get().to_owned()), Vec::new()))
    }
    pub fn render(&self, _scope: &Scope) -> Rendered {
        Rendered { text: self.0.clone(), missing: Vec::new(), errors: Vec::new() }
    }
}
#[derive(Clone, Debug)]
pub struct TextTemplate(String);
impl TextTemplate {
    pub fn compile(text: &str) -> Result<Self, Vec<Fault>> {
        Ok(Self(text.to_owned()))
    }
    pub fn render(&self, _scope: &Scope) -> Rendered {
        Rendered { text: self.0.clone(), missing: Vec::new(), errors: Vec::new() }
    }
}
