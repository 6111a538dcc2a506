//! The search in the documentation: sections that contain every word.

use super::library::{Library, Page};
use super::markdown::Section;

/// The most results.
const MOST: usize = 30;
/// The longest query, in characters.
const LONGEST: usize = 200;
/// Characters around the first word that is found.
const AROUND: usize = 90;

/// A section that was found.
#[derive(Debug)]
pub struct Hit {
    /// Where it is.
    pub address: String,
    /// The title of its page.
    pub page: String,
    /// Its heading.
    pub heading: String,
    /// Text around the first word; `true` where a piece is a word of the query.
    pub pieces: Vec<(bool, String)>,
}

/// The sections that contain every word of the query, the best ones first.
pub fn found(library: &Library, query: &str) -> Vec<Hit> {
    let query: String = query.chars().take(LONGEST).collect::<String>().to_lowercase();
    let words: Vec<&str> = query.split_whitespace().collect();
    if words.is_empty() {
        return Vec::new();
    }
    let sections =
        library.pages.iter().flat_map(|page| page.sections.iter().map(move |section| (page, section)));
    let mut hits: Vec<(usize, &Page, &Section)> =
        sections.filter_map(|(page, section)| Some((score(page, section, &words)?, page, section))).collect();
    // The order of the navigation stays among equals.
    hits.sort_by_key(|(score, ..)| std::cmp::Reverse(*score));
    hits.into_iter().take(MOST).map(|(_, page, section)| hit(page, section, &words)).collect()
}

/// How well a section fits; `None` if a word is missing.
fn score(page: &Page, section: &Section, words: &[&str]) -> Option<usize> {
    let (title, heading, text) =
        (page.title.to_lowercase(), section.heading.to_lowercase(), section.text.to_lowercase());
    let is_named = heading == words.join(" ");
    let mut sum = if is_named { 50_usize } else { 0 };
    for word in words {
        let is_in = |text: &str| usize::from(text.contains(word));
        let count = text.matches(word).count().min(3);
        let own = count.saturating_add(is_in(&heading).saturating_mul(20));
        // The title alone finds only the beginning of its page.
        let of_title = if section.level == 1 { is_in(&title).saturating_mul(20) } else { 0 };
        if own == 0 && of_title == 0 {
            return None;
        }
        sum =
            sum.saturating_add(own).saturating_add(of_title).saturating_add(is_in(&title).saturating_mul(4));
    }
    Some(sum)
}

fn hit(page: &Page, section: &Section, words: &[&str]) -> Hit {
    let anchor = if section.anchor.is_empty() { String::new() } else { format!("#{}", section.anchor) };
    Hit {
        address: format!("{}{anchor}", page.address),
        page: page.title.clone(),
        heading: section.heading.clone(),
        pieces: pieces(&section.text, words),
    }
}

/// The text around the first word, cut at the words.
fn pieces(text: &str, words: &[&str]) -> Vec<(bool, String)> {
    let text: Vec<char> = text.split_whitespace().collect::<Vec<_>>().join(" ").chars().collect();
    // Letter by letter, so that places are the same in both.
    let small: Vec<char> =
        text.iter().map(|letter| letter.to_lowercase().next().unwrap_or(*letter)).collect();
    let at = |place: usize, word: &str| {
        small.get(place..).is_some_and(|rest| {
            let mut rest = rest.iter();
            word.chars().all(|letter| rest.next() == Some(&letter))
        })
    };
    let first = (0..small.len()).find(|place| words.iter().any(|word| at(*place, word))).unwrap_or_default();
    let (start, end) = (first.saturating_sub(AROUND), first.saturating_add(AROUND).min(text.len()));
    let mut out: Vec<(bool, String)> = Vec::new();
    let mut marked = 0_usize;
    for place in start..end {
        let word = words.iter().filter(|word| at(place, word)).map(|word| word.chars().count()).max();
        marked = marked.max(word.map_or(0, |length| place.saturating_add(length)));
        let is_marked = place < marked;
        match out.last_mut().filter(|(kind, _)| *kind == is_marked) {
            Some((_, piece)) => piece.extend(text.get(place)),
            None => out.push((is_marked, text.get(place).into_iter().collect())),
        }
    }
    let dots = |is_cut: bool| is_cut.then(|| (false, "…".to_owned()));
    dots(start > 0).into_iter().chain(out).chain(dots(end < text.len())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::inspector::pages::docs::library::library;

    fn first(query: &str) -> String {
        let hits = found(library(), query);
        hits.first().map(|hit| hit.address.clone()).unwrap_or_default()
    }

    #[test]
    fn a_search_finds_the_section_about_it() {
        assert_eq!(first("receiver.max_body"), "/docs/reference/configuration#receivermax_body");
        assert_eq!(first("Signature Mismatch"), "/docs/guide/debug#signature-mismatch");
        assert_eq!(first("tagohook listen"), "/docs/cli#tagohook-listen");
        assert_eq!(first("  "), "");
        assert_eq!(first("xyzzy"), "");
        assert!(first(&"é".repeat(5_000)).is_empty());
        assert!(found(library(), "a").len() == MOST);
    }

    #[test]
    fn the_words_are_marked_in_the_text_around_them() {
        let told = |text: &str, words: &[&str]| {
            let pieces = pieces(text, words);
            pieces
                .iter()
                .map(|(is, piece)| if *is { format!("[{piece}]") } else { piece.clone() })
                .collect::<String>()
        };
        assert_eq!(told("A Big\n big İbig house", &["big"]), "A [Big] [big] İ[big] house");
        assert_eq!(told(&"x ".repeat(200), &["y"]).chars().count(), AROUND + 1);
        assert_eq!(told("aaab", &["aa", "ab"]), "[aaab]");
        assert_eq!(told("", &["a"]), "");
    }
}
