//! The words of `QUERY`: a search, and filters of the API.

use super::inspector::encoded;

/// Filters of the API that the search names otherwise.
const FILTERS: [&str; 4] = ["event_type", "event_id", "entity", "client_ip"];

/// The parameters of a list, each with `&` in front: filters of the API, as `verdict=rejected`, and everything else as a search.
pub fn query_of(words: &[String]) -> String {
    let (mut query, mut search) = (String::new(), Vec::new());
    for word in words {
        let at = word.find(['=', ':']);
        let filter = at.and_then(|at| Some((word.get(..at)?, word.get(at..)?)));
        let filter = filter.filter(|(name, _)| is_name(name));
        match filter {
            Some((name, value)) if value.starts_with('=') || FILTERS.contains(&name) => {
                let value = value.get(1..).unwrap_or_default();
                query.push_str(&format!("&{}={}", encoded(name), encoded(value)));
            }
            _ => search.push(word.as_str()),
        }
    }
    if !search.is_empty() {
        query.push_str(&format!("&q={}", encoded(&search.join(" "))));
    }
    query
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_a_search_and_filters_of_the_api_stay_filters() {
        let query =
            |words: &[&str]| query_of(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>());
        assert_eq!(query(&[]), "");
        assert_eq!(query(&["verdict=rejected", "source=a:b"]), "&verdict=rejected&source=a%3Ab");
        assert_eq!(query(&["\"a=b\"", "bG9nbw=="]), "&q=%22a%3Db%22%20bG9nbw%3D%3D");
        assert_eq!(query(&["event_type:user.login"]), "&event%5Ftype=user%2Elogin");
        assert_eq!(
            query(&["type:user.*", "OR", "text:a=b", "status=200"]),
            "&status=200&q=type%3Auser%2E%2A%20OR%20text%3Aa%3Db"
        );
    }
}
