//! The kinds of JSON values, and sets of them.

/// The kind of a JSON value. Integers are distinguished from other numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum JsonKind {
    /// `null`.
    Null,
    /// `true` or `false`.
    Boolean,
    /// A number written without a fraction.
    Integer,
    /// Any other number.
    Number,
    /// A string.
    String,
    /// An array.
    Array,
    /// An object.
    Object,
}

/// The kind of a value, for a sentence: `an array`.
#[must_use]
pub const fn seen(value: &serde_json::Value) -> &'static str {
    use serde_json::Value;
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

impl JsonKind {
    /// Every kind.
    pub const ALL: [Self; 7] =
        [Self::Null, Self::Boolean, Self::Integer, Self::Number, Self::String, Self::Array, Self::Object];

    /// The kind of a value.
    #[must_use]
    pub fn of(value: &serde_json::Value) -> Self {
        use serde_json::Value;
        match value {
            Value::Null => Self::Null,
            Value::Bool(_) => Self::Boolean,
            Value::Number(number) if number.is_i64() || number.is_u64() => Self::Integer,
            Value::Number(_) => Self::Number,
            Value::String(_) => Self::String,
            Value::Array(_) => Self::Array,
            Value::Object(_) => Self::Object,
        }
    }

    /// Its name in JSON Schema.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean => "boolean",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::String => "string",
            Self::Array => "array",
            Self::Object => "object",
        }
    }

    /// The kind with that JSON Schema name.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// Its index in `ALL`.
    #[must_use]
    pub const fn place(self) -> usize {
        match self {
            Self::Null => 0,
            Self::Boolean => 1,
            Self::Integer => 2,
            Self::Number => 3,
            Self::String => 4,
            Self::Array => 5,
            Self::Object => 6,
        }
    }

    const fn bit(self) -> u8 {
        1 << self.place()
    }
}

/// A set of kinds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JsonKinds(u8);

impl JsonKinds {
    /// The set with these bits, one for each kind in the order of `JsonKind::ALL`.
    #[must_use]
    pub const fn from_bits(bits: u8) -> Self {
        Self(bits & 0x7f)
    }

    /// The bits of the set.
    #[must_use]
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// This set and `kind`.
    #[must_use]
    pub const fn with(self, kind: JsonKind) -> Self {
        Self(self.0 | kind.bit())
    }

    /// Whether it contains `kind`.
    #[must_use]
    pub const fn has(self, kind: JsonKind) -> bool {
        self.0 & kind.bit() != 0
    }

    /// Whether it is empty.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether a value of `kind` is new to this set; an integer is not new to a set with numbers.
    #[must_use]
    pub const fn is_changed_by(self, kind: JsonKind) -> bool {
        let is_number = matches!(kind, JsonKind::Integer | JsonKind::Number);
        let has_number = self.has(JsonKind::Integer) || self.has(JsonKind::Number);
        let is_known = self.has(kind) || (is_number && has_number);
        !self.is_empty() && !is_known
    }

    /// The kinds, in the order of `JsonKind::ALL`.
    pub fn iter(self) -> impl Iterator<Item = JsonKind> {
        JsonKind::ALL.into_iter().filter(move |kind| self.has(*kind))
    }

    /// The names, such as `string or null`; integers are omitted if there are other numbers.
    #[must_use]
    pub fn words(self) -> String {
        let is_told = |kind: &JsonKind| !(*kind == JsonKind::Integer && self.has(JsonKind::Number));
        let words: Vec<&str> = self.iter().filter(is_told).map(JsonKind::as_str).collect();
        words.join(" or ")
    }
}

impl FromIterator<JsonKind> for JsonKinds {
    fn from_iter<I: IntoIterator<Item = JsonKind>>(kinds: I) -> Self {
        kinds.into_iter().fold(Self::default(), Self::with)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_integer_beside_a_number_is_no_change_and_a_string_is() {
        let number: JsonKinds = [JsonKind::Number].into_iter().collect();
        assert!(!number.is_changed_by(JsonKind::Integer));
        assert!(number.is_changed_by(JsonKind::String));
        assert!(!JsonKinds::default().is_changed_by(JsonKind::String), "the first one changes nothing");
        assert_eq!(number.with(JsonKind::Integer).with(JsonKind::Null).words(), "null or number");
        for kind in JsonKind::ALL {
            assert_eq!(JsonKind::ALL[kind.place()], kind);
        }
    }
}
