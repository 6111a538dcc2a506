//! Colours of results on a terminal. A pipe gets plain text, as does everything with `NO_COLOR`.

use console::style;

/// What a result means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// As it should be.
    Well,
    /// Worth a look.
    Notice,
    /// Not as it should be.
    Bad,
}

/// `text` in the colour of its meaning.
pub fn toned(text: &str, tone: Tone) -> String {
    let styled = style(text);
    match tone {
        Tone::Well => styled.green(),
        Tone::Notice => styled.yellow(),
        Tone::Bad => styled.red(),
    }
    .to_string()
}
