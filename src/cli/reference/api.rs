//! The inspector's API, as its OpenAPI document says.

use serde_json::Value;

use super::{check, plain, table};
use crate::http::api_view::{Field, Group, Kind, Operation, SchemaView, groups, schemas};

/// `docs/openapi.json` is what the program serves: a test of its own compares them.
const DOCUMENT: &str = include_str!("../../../docs/openapi.json");

/// What a value consists of, with a link to the object.
fn kind(kind: &Kind) -> String {
    let object = kind.object.as_ref().map(|name| format!(" [{name}](#{})", name.to_lowercase()));
    format!("{}{}{}", plain(&kind.words), object.unwrap_or_default(), kind.rest).trim().to_owned()
}

fn fields(all: &[Field], first: &str) -> String {
    let row = |field: &Field| {
        let name = if field.is_required { "" } else { " (optional)" };
        vec![format!("`{}`{name}", field.name), kind(&field.kind), plain(&field.about)]
    };
    table(&[first, "value", "meaning"], &all.iter().map(row).collect::<Vec<_>>())
}

fn operation(one: &Operation) -> String {
    let mut text = format!(
        "### {} {}\n\n{}.\n\n",
        one.method,
        one.path.replace("/api/v1", ""),
        plain(one.summary.trim_end_matches('.'))
    );
    if !one.about.is_empty() {
        text.push_str(&format!("{}\n\n", plain(&one.about)));
    }
    text.push_str(&fields(&one.parameters, "parameter"));
    if let Some(body) = &one.body {
        text.push_str(&format!("Body: {}\n\n", kind(body)));
    }
    for answer in &one.answers {
        let about = plain(answer.about.trim_end_matches('.'));
        text.push_str(&format!("- {}: {about}. {}\n", answer.status, kind(&answer.kind)));
    }
    text.push('\n');
    text
}

fn group(group: &Group) -> String {
    let operations: String = group.operations.iter().map(operation).collect();
    format!("## {}\n\n{}\n\n{operations}", group.name, plain(&group.about))
}

fn object(schema: &SchemaView) -> String {
    let mut text = format!("### {}\n\n", schema.name);
    if !schema.about.is_empty() {
        text.push_str(&format!("{}\n\n", plain(&schema.about)));
    }
    if let Some(words) = &schema.kind {
        text.push_str(&format!("{}\n\n", kind(words)));
    }
    text.push_str(&fields(&schema.fields, "member"));
    text
}

#[test]
fn the_reference_has_every_operation_and_object() {
    let document: Value = serde_json::from_str(DOCUMENT).unwrap();
    let groups = groups(&document, "", false);
    let schemas = schemas(&document);
    let count: usize = groups.iter().map(|group| group.operations.len()).sum();
    let paths = document["paths"].as_object().unwrap().values();
    let expected: usize = paths.map(|item| item.as_object().unwrap().len()).sum();
    assert!(expected > 60, "{expected}");
    assert_eq!(count, expected, "an operation without a group");
    let mut text = String::from(
        "# API reference\n\nEvery route of the inspector below `/api/v1`, made from [openapi.json](../openapi.json). \
         [API](../API.md) has the promises: authentication, lists, errors, and what the receiver answers. The inspector's page \
         **API** shows the same with a `curl` command for each operation.\n\nErrors are [problems](#problem).\n\n",
    );
    text.extend(groups.iter().map(group));
    text.push_str("## Objects\n\n");
    text.extend(schemas.iter().map(object));
    check("api.md", &text);
}
