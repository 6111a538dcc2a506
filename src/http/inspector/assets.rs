//! The stylesheet, scripts and icon, compiled in.

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use actix_web::{HttpRequest, HttpResponse, web};
use rust_embed::Embed;

use super::page;
use super::state::InspectorState;

#[derive(Embed)]
#[folder = "static/"]
struct Static;

/// One file of `static/`.
pub async fn asset(
    name: web::Path<String>,
    request: HttpRequest,
    state: web::Data<InspectorState>,
) -> HttpResponse {
    let (Some(file), Some(content_type)) = (Static::get(&name), content_type(&name)) else {
        return page::not_found(&state, "There is no such file.");
    };
    let tag = format!("\"{}\"", hex::encode(file.metadata.sha256_hash()));
    let is_known = request.headers().get(IF_NONE_MATCH).is_some_and(|seen| *seen == *tag);
    let mut answer = if is_known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    answer.insert_header((CACHE_CONTROL, "no-cache")).insert_header((ETAG, tag));
    if is_known {
        return answer.finish();
    }
    answer.insert_header((CONTENT_TYPE, content_type)).body(file.data.into_owned())
}

fn content_type(name: &str) -> Option<&'static str> {
    match name.rsplit_once('.')?.1 {
        "css" => Some("text/css; charset=utf-8"),
        "js" => Some("text/javascript; charset=utf-8"),
        "svg" => Some("image/svg+xml"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::PublicUrl;

    #[test]
    fn a_script_asks_for_our_paths_only_where_the_proxy_has_them() {
        let ours = format!(r#"(.{{0,3}})["'`]/(?:\?|["'`]|(?:{})\b)"#, PublicUrl::OWN.join("|"));
        let ours = regex::Regex::new(&ours).unwrap();
        let mut seen = 0;
        for name in Static::iter().filter(|name| name.ends_with(".js")) {
            let text = String::from_utf8(Static::get(&name).unwrap().data.into_owned()).unwrap();
            for found in ours.captures_iter(&text) {
                assert_eq!(&found[1], "at(", "{name}: {} goes through at()", &found[0]);
                seen += 1;
            }
        }
        assert!(seen >= 8, "{seen}");
    }
}
