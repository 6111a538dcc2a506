//! The stylesheet, scripts and icon, compiled in.

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use actix_web::{HttpRequest, HttpResponse, web};
use sha2::{Digest as _, Sha256};

use super::page;
use crate::http::inspector::state::InspectorState;

macro_rules! files {
    ($($name:literal),*) => {
        /// Each file of `static/`: its name and its bytes.
        const FILES: &[(&str, &[u8])] =
            &[("app.css", STYLES.as_bytes()), $(($name, include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/static/", $name)))),*];
    };
}

macro_rules! styles {
    ($($name:literal),*) => {
        /// The files of `static/css/`, in the order in which later rules override earlier ones.
        #[cfg(test)]
        const STYLE_FILES: &[&str] = &[$($name),*];
        /// The one stylesheet that pages load.
        const STYLES: &str =
            concat!($(include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/static/css/", $name))),*);
    };
}

styles! {
    "base.css",
    "menu.css",
    "frame.css",
    "list.css",
    "first.css",
    "delivery.css",
    "outbound.css",
    "replays.css",
    "charts.css",
    "lens.css",
    "body.css",
    "compare.css",
    "search.css",
    "palette.css",
    "docs.css",
    "panes.css",
    "phone.css"
}

files! {
    "app.js",
    "chart.js",
    "choose.js",
    "connect.js",
    "durations.js",
    "filter_form.js",
    "histogram.js",
    "icon.svg",
    "json_lines.js",
    "json_text.js",
    "keys.js",
    "letters.js",
    "live.js",
    "menu.js",
    "messages.js",
    "palette.js",
    "panes.js",
    "parked.js",
    "progress.js",
    "rows.js",
    "search.js",
    "subscription.js",
    "subscription_form.js",
    "survey.js",
    "times.js",
    "tree.js"
}

/// One file of `static/`.
pub async fn asset(
    name: web::Path<String>,
    request: HttpRequest,
    state: web::Data<InspectorState>,
) -> HttpResponse {
    let file = FILES.iter().find(|(known, _)| *known == name.as_str());
    let (Some((_, bytes)), Some(content_type)) = (file, content_type(&name)) else {
        return page::not_found(&state, "There is no such file.");
    };
    let tag = format!("\"{}\"", hex::encode(Sha256::digest(bytes)));
    // Compression makes it weak.
    let seen = request.headers().get(IF_NONE_MATCH).and_then(|seen| seen.to_str().ok());
    let is_known = seen.is_some_and(|seen| seen.trim_start_matches("W/") == tag);
    let mut answer = if is_known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    answer.insert_header((CACHE_CONTROL, "no-cache")).insert_header((ETAG, tag));
    if is_known {
        return answer.finish();
    }
    answer.insert_header((CONTENT_TYPE, content_type)).body(*bytes)
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

    fn files_of(folder: &str) -> Vec<String> {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(Result::unwrap)
            .filter(|file| file.path().is_file())
            .map(|file| file.file_name().to_string_lossy().into_owned())
            .collect();
        files.sort_unstable();
        files
    }

    #[test]
    fn every_file_of_the_folder_is_served() {
        let listed: Vec<&str> =
            FILES.iter().map(|(name, _)| *name).filter(|name| *name != "app.css").collect();
        assert_eq!(files_of("static"), listed);
        let mut styles = STYLE_FILES.to_vec();
        styles.sort_unstable();
        assert_eq!(files_of("static/css"), styles);
    }

    #[test]
    fn a_script_asks_for_our_paths_only_where_the_proxy_has_them() {
        let ours = format!(r#"(.{{0,3}})["'`]/(?:\?|["'`]|(?:{})\b)"#, PublicUrl::OWN.join("|"));
        let ours = regex::Regex::new(&ours).unwrap();
        let mut seen = 0;
        for (name, bytes) in FILES.iter().filter(|(name, _)| name.ends_with(".js")) {
            for found in ours.captures_iter(std::str::from_utf8(bytes).unwrap()) {
                assert_eq!(&found[1], "at(", "{name}: {} goes through at()", &found[0]);
                seen += 1;
            }
        }
        assert!(seen >= 8, "{seen}");
    }
}
