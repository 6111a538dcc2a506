//! The variables for a request's credentials, which are not stored. Equal credentials share a variable.

/// The variable for the only credential; if there are several, each has its number in its name.
const CREDENTIAL: &str = "CREDENTIAL";

/// A variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its meaning: `what follows Bearer in the header Authorization`. Letters, digits, blanks and `-_.,` only.
    pub meaning: String,
}

/// The variables of a request.
#[derive(Clone, Debug, Default)]
pub struct Variables {
    /// The stored part of each credential, and its variable.
    all: Vec<(Vec<u8>, Variable)>,
}

impl Variables {
    /// The name of the variable of a credential of which `kept` is kept, and which is at a place of that name.
    pub fn name_of(&mut self, kept: &[u8], place: &str, meaning: &str) -> String {
        let meaning = harmless(meaning);
        if let Some((_, known)) = self.all.iter_mut().find(|(other, _)| other == kept) {
            if !known.meaning.contains(&meaning) {
                known.meaning = format!("{}, and {meaning}", known.meaning);
            }
            return known.name.clone();
        }
        let word =
            |letter: char| if letter.is_ascii_alphanumeric() { letter.to_ascii_uppercase() } else { '_' };
        let place: String = place.chars().take(40).map(word).collect();
        let is_free = |name: &String| self.all.iter().all(|(_, known)| known.name != *name);
        let first = format!("{CREDENTIAL}_{place}");
        let numbered = (2_u32..).map(|number| format!("{first}_{number}"));
        let name = std::iter::once(first.clone()).chain(numbered).find(is_free).unwrap_or_default();
        self.all.push((kept.to_vec(), Variable { name: name.clone(), meaning }));
        name
    }

    /// Where there is only one, its name needs no place. Returns the name that it had.
    pub fn shorten(&mut self) -> Option<String> {
        match self.all.as_mut_slice() {
            [(_, only)] => Some(std::mem::replace(&mut only.name, CREDENTIAL.to_owned())),
            _ => None,
        }
    }

    /// The name that `shorten` gives.
    pub const fn short() -> &'static str {
        CREDENTIAL
    }

    /// All of them, in the order of the request.
    pub fn iter(&self) -> impl Iterator<Item = &Variable> {
        self.all.iter().map(|(_, variable)| variable)
    }

    /// A sentence that names all of them; empty if there are none.
    pub fn sentence(&self) -> String {
        let each = self.iter().map(|variable| format!("${}: {}", variable.name, variable.meaning));
        each.collect::<Vec<_>>().join("; ")
    }
}

fn harmless(text: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || " -_.,".contains(letter);
    text.chars().take(120).map(|letter| if is_plain(letter) { letter } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_credentials_are_one_variable_and_others_have_names_of_their_own() {
        let mut variables = Variables::default();
        assert_eq!(variables.name_of(b"1", "X-API-Key", "the header X-API-Key"), "CREDENTIAL_X_API_KEY");
        assert_eq!(variables.name_of(b"1", "token", "the parameter to`k}en"), "CREDENTIAL_X_API_KEY");
        assert_eq!(variables.name_of(b"2", "Cookie", "the header Cookie"), "CREDENTIAL_COOKIE");
        assert_eq!(variables.name_of(b"3", "Cookie", "the header Cookie"), "CREDENTIAL_COOKIE_2");
        assert_eq!(variables.shorten(), None);
        let first = variables.iter().next().unwrap();
        assert_eq!(first.meaning, "the header X-API-Key, and the parameter to_k_en");
        let mut one = Variables::default();
        one.name_of(b"1", "Authorization", "the header Authorization");
        assert_eq!(one.shorten().as_deref(), Some("CREDENTIAL_AUTHORIZATION"));
        assert_eq!(one.sentence(), "$CREDENTIAL: the header Authorization");
    }
}
