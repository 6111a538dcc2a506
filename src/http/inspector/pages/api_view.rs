//! An OpenAPI document as the page shows it: operations in groups, and the objects that they speak of.

use serde_json::{Map, Value};

/// Operations of one subject.
pub struct Group {
    /// Its name.
    pub name: String,
    /// What it is.
    pub about: String,
    /// Its operations.
    pub operations: Vec<Operation>,
}

/// An operation.
pub struct Operation {
    /// Its place on the page.
    pub id: String,
    /// `GET`.
    pub method: String,
    /// `/api/v1/deliveries`.
    pub path: String,
    /// What it does.
    pub summary: String,
    /// More about it.
    pub about: String,
    /// Parameters of its path and query.
    pub parameters: Vec<Field>,
    /// The object in its body.
    pub body: Option<Kind>,
    /// What it answers.
    pub answers: Vec<Answer>,
    /// A command that asks it.
    pub curl: String,
}

/// An answer.
pub struct Answer {
    /// Its status.
    pub status: String,
    /// What it means.
    pub about: String,
    /// What it consists of.
    pub kind: Kind,
}

/// An object.
pub struct SchemaView {
    /// Its name.
    pub name: String,
    /// What it is.
    pub about: String,
    /// Its members; none for a value.
    pub fields: Vec<Field>,
    /// What it is, if it is no object.
    pub kind: Option<Kind>,
}

/// A member of an object, or a parameter.
pub struct Field {
    /// Its name.
    pub name: String,
    /// What it consists of.
    pub kind: Kind,
    /// Whether it is always there, or must be given.
    pub is_required: bool,
    /// What it is.
    pub about: String,
}

/// What a value consists of.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Kind {
    /// Before the name of an object: `list of`.
    pub words: String,
    /// The object.
    pub object: Option<String>,
    /// After it: `or null`.
    pub rest: &'static str,
}

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

fn text(value: &Value, key: &str) -> String {
    value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn members(value: Option<&Value>) -> impl Iterator<Item = (&String, &Value)> {
    value.and_then(Value::as_object).into_iter().flatten()
}

fn items<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// The operations of a document by their subjects.
pub fn groups(document: &Value, base: &str, needs_password: bool) -> Vec<Group> {
    let of = |subject: &str| {
        let mut operations = Vec::new();
        for (path, item) in members(document.get("paths")) {
            for (method, operation) in METHODS.iter().filter_map(|method| Some((*method, item.get(method)?)))
            {
                let is_own = items(operation, "tags").iter().any(|tag| tag == subject);
                if is_own {
                    operations.push(operation_view(document, path, method, operation, base, needs_password));
                }
            }
        }
        operations
    };
    let group = |tag: &Value| {
        let name = text(tag, "name");
        Group { operations: of(&name), name, about: text(tag, "description") }
    };
    items(document, "tags").iter().map(group).collect()
}

fn operation_view(
    document: &Value,
    path: &str,
    method: &str,
    operation: &Value,
    base: &str,
    needs_password: bool,
) -> Operation {
    let parameter = |parameter: &Value| Field {
        name: text(parameter, "name"),
        kind: parameter.get("schema").map(kind).unwrap_or_default(),
        is_required: parameter.get("required") == Some(&Value::Bool(true)),
        about: if text(parameter, "in") == "path" {
            "Part of the path.".to_owned()
        } else {
            text(parameter, "description")
        },
    };
    let body = operation.pointer("/requestBody/content/application~1json/schema");
    let answer = |(status, response): (&String, &Value)| {
        let (_, content) = members(response.get("content")).next()?;
        Some(Answer {
            status: status.clone(),
            about: text(response, "description"),
            kind: content.get("schema").map(kind).unwrap_or_default(),
        })
    };
    let answers = members(operation.get("responses")).filter(|(status, _)| status.starts_with('2'));
    let nothing = |(status, response): (&String, &Value)| Answer {
        status: status.clone(),
        about: text(response, "description"),
        kind: Kind { words: "nothing".to_owned(), ..Kind::default() },
    };
    let mut curl = String::from("curl");
    if needs_password {
        curl.push_str(" -H \"Authorization: Bearer $PASSWORD\"");
    }
    if method != "get" {
        curl.push_str(&format!(" -X {}", method.to_uppercase()));
    }
    if let Some(schema) = body {
        let example = example(document, schema).to_string().replace('\'', "'\\''");
        curl.push_str(&format!(" -H 'Content-Type: application/json' -d '{example}'"));
    }
    Operation {
        id: text(operation, "operationId"),
        method: method.to_uppercase(),
        path: path.to_owned(),
        summary: text(operation, "summary"),
        about: text(operation, "description").replace('`', ""),
        parameters: items(operation, "parameters").iter().map(parameter).collect(),
        body: body.map(kind),
        answers: answers.map(|one| answer(one).unwrap_or_else(|| nothing(one))).collect(),
        curl: format!("{curl} '{base}{path}'"),
    }
}

/// A body that can be sent: what must be there, and what has an example.
fn example(document: &Value, schema: &Value) -> Value {
    let schema = schema.get("$ref").and_then(Value::as_str).and_then(|at| document.pointer(at.get(1..)?));
    let Some(schema) = schema else { return Value::Object(Map::new()) };
    let required = items(schema, "required");
    let shown = members(schema.get("properties")).filter_map(|(name, property)| {
        let given = property.get("example").cloned();
        let is_required = required.iter().any(|one| one == name);
        given.or_else(|| is_required.then(|| Value::from("…"))).map(|value| (name.clone(), value))
    });
    Value::Object(shown.collect())
}

/// The objects of a document.
pub fn schemas(document: &Value) -> Vec<SchemaView> {
    members(document.pointer("/components/schemas")).map(|(name, schema)| schema_view(name, schema)).collect()
}

fn schema_view(name: &str, schema: &Value) -> SchemaView {
    let mut fields = Vec::new();
    let parts: Vec<&Value> = match schema.get("allOf") {
        Some(_) => items(schema, "allOf").iter().collect(),
        None => vec![schema],
    };
    let mut words = None;
    for part in &parts {
        let required = items(part, "required");
        fields.extend(members(part.get("properties")).map(|(name, property)| Field {
            name: name.clone(),
            kind: kind(property),
            is_required: required.iter().any(|one| one == name),
            about: text(property, "description"),
        }));
        if part.get("$ref").is_some() {
            words = Some(Kind { words: "everything of".to_owned(), rest: ", and:", ..kind(part) });
        }
    }
    if fields.is_empty() {
        words = Some(kind(schema));
    }
    SchemaView { name: name.to_owned(), about: text(schema, "description"), fields, kind: words }
}

/// What a schema describes, in words.
fn kind(schema: &Value) -> Kind {
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        let object = reference.rsplit('/').next().map(str::to_owned);
        return Kind { object, ..Kind::default() };
    }
    let choices: Vec<Kind> = ["oneOf", "anyOf"]
        .iter()
        .flat_map(|key| items(schema, key))
        .filter(|one| !is_null(one))
        .map(kind)
        .collect();
    if !choices.is_empty() {
        let is_nullable = ["oneOf", "anyOf"].iter().flat_map(|key| items(schema, key)).any(is_null);
        let rest = if is_nullable { " or null" } else { "" };
        let is_one = choices.len() == 1;
        let words = choices.iter().map(Kind::sentence).collect::<Vec<_>>().join(", or ");
        let object = choices.into_iter().find_map(|one| one.object).filter(|_| is_one);
        let words = if object.is_some() { String::new() } else { words };
        return Kind { words, object, rest };
    }
    let types: Vec<&str> = match schema.get("type") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
        _ => return Kind { words: "any JSON".to_owned(), ..Kind::default() },
    };
    let rest = if types.contains(&"null") { " or null" } else { "" };
    if types.contains(&"array") {
        let inner = schema.get("items").map(kind).unwrap_or_default();
        return Kind {
            words: format!("list of {}", inner.words).trim_end().to_owned(),
            object: inner.object,
            rest,
        };
    }
    let words = types.iter().filter(|one| **one != "null").map(|one| word(one, schema));
    Kind { words: words.collect::<Vec<_>>().join(" or "), object: None, rest }
}

fn is_null(schema: &Value) -> bool {
    schema.get("type").is_some_and(|kind| kind == "null")
}

fn word(kind: &str, schema: &Value) -> String {
    let words: Vec<&str> = items(schema, "enum").iter().filter_map(Value::as_str).collect();
    let limit = |key: &str| schema.get(key).and_then(Value::as_u64);
    match (kind, schema.get("format").and_then(Value::as_str)) {
        ("string", Some("date-time")) => "time".to_owned(),
        ("string", _) if !words.is_empty() => words.join(" | "),
        ("string", _) => "text".to_owned(),
        ("integer", _) => match (limit("minimum"), limit("maximum")) {
            (Some(low), Some(high)) => format!("{low} to {high}"),
            _ => "integer".to_owned(),
        },
        ("boolean", _) => "true or false".to_owned(),
        (other, _) => other.to_owned(),
    }
}

impl Kind {
    fn sentence(&self) -> String {
        let named = self.object.as_deref().map(|object| format!(" {object}")).unwrap_or_default();
        format!("{}{named}{}", self.words, self.rest).trim_start().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_kind_is_put_into_words() {
        let told = |schema: Value| kind(&schema).sentence();
        assert_eq!(told(json!({"type": "integer", "minimum": 1, "maximum": 500})), "1 to 500");
        assert_eq!(told(json!({"type": ["string", "null"]})), "text or null");
        assert_eq!(told(json!({"type": "string", "format": "date-time"})), "time");
        assert_eq!(
            told(json!({"type": "array", "items": {"$ref": "#/components/schemas/Row"}})),
            "list of Row"
        );
        assert_eq!(
            told(json!({"oneOf": [{"type": "null"}, {"$ref": "#/components/schemas/Row"}]})),
            "Row or null"
        );
        assert_eq!(told(json!({})), "any JSON");
        assert_eq!(told(json!({"type": "string", "enum": ["a", "b"]})), "a | b");
    }
}
