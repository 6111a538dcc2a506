//! What trees are made of which bytes.

use super::*;
use crate::domain::Fault;
use crate::domain::json::Lexer;

/// The rows as lines: `key: value`, indented, with notes behind `!` and faults behind `#`.
fn lines_of(tree: &Tree) -> Vec<String> {
    let mut lines = Vec::new();
    for row in &tree.rows {
        let text = |pieces: &[crate::domain::Piece]| {
            let one = |piece: &crate::domain::Piece| {
                if piece.is_mark { format!("⟨{}⟩", piece.text) } else { piece.text.clone() }
            };
            pieces.iter().map(one).collect::<String>()
        };
        let head = |node: &Node| {
            let name = match (&node.key, node.index) {
                (Some(key), _) => format!("{}: ", text(&key.pieces)),
                (None, Some(index)) => format!("{index}: "),
                (None, None) => String::new(),
            };
            format!("{}{name}", " ".repeat(node.depth))
        };
        let tail = |node: &Node| {
            let notes = node.notes.iter().map(|note| format!(" !{note}"));
            notes.chain(node.faults.iter().map(|fault| format!(" #{fault}"))).collect::<String>()
        };
        lines.push(match row {
            Row::Open { node, is_object, count } => {
                format!("{}{}{count}{}", head(node), if *is_object { "{" } else { "[" }, tail(node))
            }
            Row::Close => continue,
            Row::Leaf { node, leaf } => {
                let left = if leaf.left_out > 0 { format!(" +{}", leaf.left_out) } else { String::new() };
                format!("{}{}{left} {}{}", head(node), text(&leaf.pieces), leaf.kind, tail(node))
            }
            Row::More { what, at, offset } => format!("… {what} @{at}+{offset}"),
            Row::Broken { message, at, rest } => format!("✗ {message} @{at} {}", text(rest)),
        });
    }
    let opens = tree.rows.iter().filter(|row| matches!(row, Row::Open { .. })).count();
    let closes = tree.rows.iter().filter(|row| matches!(row, Row::Close)).count();
    assert_eq!(opens, closes, "{lines:?}");
    lines
}

fn lines(text: &[u8]) -> Vec<String> {
    lines_of(&tree(text, Wish::default()))
}

#[test]
fn ui_08_every_token_stays_as_it_was_written() {
    let text = br#"{"big":1152921506151679042,"one":1.0,"exp":1e2,"neg":-0,"one":[true,null,"x"],"":{}}"#;
    assert_eq!(
        lines(text),
        [
            "{6",
            " big: 1152921506151679042 number !larger than what JavaScript and many others can hold exactly (2^53 − 1)",
            " one: 1.0 number !this key is here more than once; readers take the last one",
            " exp: 1e2 number",
            " neg: -0 number",
            " one: [3 !this key is here more than once",
            "  0: true literal",
            "  1: null literal",
            "  2: x string",
            " : {0",
        ]
    );
    assert_eq!(lines(b"9007199254740991"), ["9007199254740991 number"]);
    assert!(lines(b"-9007199254740992")[0].contains("larger than"));
    assert!(lines(b"0.1234567890123456789")[0].contains("more digits"));
    assert_eq!(lines(b"\xef\xbb\xbf[]"), ["[0 !a byte order mark precedes it"]);
}

#[test]
fn what_is_no_json_is_a_tree_up_to_where_it_breaks() {
    assert_eq!(
        lines(br#"{"a":[1,{"b":2,}],"c":3}"#),
        [
            "{1",
            " a: [2",
            "  0: 1 number",
            "  1: {1",
            "   b: 2 number",
            "✗ a key in quotes is expected here @15 }],\"c\":3}"
        ]
    );
    assert_eq!(
        lines(b"{\"a\":1} x"),
        ["{1", " a: 1 number", "✗ the value has ended, and this comes after it @8 x"]
    );
    assert_eq!(lines(b"[1 2]"), ["[1", " 0: 1 number", "✗ a comma or ] is expected here @3 2]"]);
    assert_eq!(lines(b"{\"a\" 1}"), ["{0", "✗ a colon is expected here @5 1}"]);
    assert_eq!(lines(b"[1"), ["[1", " 0: 1 number", "✗ the text ends here, and the value does not @2 "]);
    assert_eq!(lines(b" "), ["✗ nothing is here @1 "]);
    assert_eq!(lines(b"{1:2}"), ["{0", "✗ a key in quotes or } is expected here @1 1:2}"]);
    for word in ["NaN", "01", "+1", ".5", "1.", "1e", "tru", "0x10", "undefined", "--1"] {
        let shown = lines(word.as_bytes());
        assert!(shown[0].starts_with(&format!("{word} other !no JSON")), "{shown:?}");
    }
}

#[test]
fn pointers_and_paths_name_each_value() {
    let text =
        br#"{"user":{"first-name":"A","a.b":1,"x/y~":2,"back\\slash":3,"with space":4},"list":[{"id":7}]}"#;
    let tree = tree(text, Wish::default());
    let places: Vec<(String, Option<String>)> = tree
        .rows
        .iter()
        .filter_map(|row| match row {
            Row::Open { node, .. } | Row::Leaf { node, .. } => {
                Some((node.pointer.clone(), node.path.clone()))
            }
            _ => None,
        })
        .collect();
    let some = |pointer: &str, path: &str| (pointer.to_owned(), Some(path.to_owned()));
    assert_eq!(
        places,
        [
            (String::new(), None),
            some("/user", "user"),
            some("/user/first-name", "user.first-name"),
            some("/user/a.b", "user.a\\.b"),
            ("/user/x~1y~0".to_owned(), None),
            some("/user/back\\slash", "user.back\\\\slash"),
            ("/user/with space".to_owned(), None),
            some("/list", "list"),
            some("/list/0", "list.0"),
            some("/list/0/id", "list.0.id"),
        ]
    );
}

#[test]
fn faults_stand_where_they_are_and_missing_members_at_their_parent() {
    let faults = [
        Fault::new("/user/email", "required, and not there"),
        Fault::new("/user/id", "a string expected, a number seen"),
        Fault::new("/list/0", "an object expected"),
        Fault::new("", "about the whole"),
    ];
    let text = br#"{"user":{"id":7},"list":["x"]}"#;
    assert_eq!(
        lines_of(&tree(text, Wish { faults: &faults, ..Wish::default() })),
        [
            "{2",
            " user: {1 #email: required, and not there",
            "  id: 7 number #a string expected, a number seen",
            " list: [1",
            "  0: x string #an object expected",
        ]
    );
}

#[test]
fn what_is_on_another_page_is_not_forgotten() {
    let members: Vec<String> = (0..250).map(|number| format!("\"k{number}\":{number}")).collect();
    let text = format!("{{{},\"k3\":1,\"email\":7}}", members.join(","));
    let faults = [
        Fault::new("/email", "a string expected"),
        Fault::new("/name", "required"),
        Fault::new("/k1", "here"),
    ];
    let wish = Wish { faults: &faults, ..Wish::default() };
    let shown = lines_of(&tree(text.as_bytes(), wish));
    assert_eq!(shown[0], "{252 #email: a string expected #name: required");
    assert_eq!(shown[2], " k1: 1 number #here");
    assert_eq!(shown[4], " k3: 3 number !this key is here more than once; readers take the last one");
    let next = lines_of(&tree(text.as_bytes(), Wish { offset: 200, ..wish }));
    assert!(next.contains(&" k3: 1 number !this key is here more than once".to_owned()), "{next:?}");
    assert!(next.contains(&" email: 7 number #a string expected".to_owned()));
    assert_eq!(next[0], "{252 #name: required #k1: here");
    let list = format!("[{}]", vec!["1"; 300].join(","));
    let faults = [Fault::new("/299", "too many"), Fault::new("/0", "first")];
    let shown = lines_of(&tree(list.as_bytes(), Wish { faults: &faults, ..Wish::default() }));
    assert_eq!((shown[0].as_str(), shown[1].as_str()), ("[300 #299: too many", " 0: 1 number #first"));
}

#[test]
fn ui_17_a_secret_after_a_break_is_not_shown() {
    let shown = lines(br#"{"a" 1,"Password":"hunter2"}"#).join("\n");
    assert!(!shown.contains("hunter2") && shown.contains("it names a secret"), "{shown}");
    assert_eq!(lines(br#"{"k\u0065y":1}"#)[1], r#" key: 1 number !the key is written "k\u0065y""#);
}

#[test]
fn long_arrays_are_shown_in_parts_and_any_part_can_be_asked_for() {
    let items: Vec<String> = (0..100_000).map(|number| format!("{{\"n\":{number}}}")).collect();
    let text = format!("{{\"a\":1,\"list\":[{}],\"z\":2}}", items.join(","));
    let whole = lines(text.as_bytes());
    assert!(whole.contains(&"… 99800 more of 100000 @14+200".to_owned()), "{:?}", whole.get(400..));
    assert_eq!(whole.last().map(String::as_str), Some(" z: 2 number"));
    let part = tree(text.as_bytes(), Wish { at: 14, offset: 99_900, ..Wish::default() });
    assert_eq!(part.pointer, "/list");
    let part = lines_of(&part);
    assert_eq!((part[0].as_str(), part[1].as_str()), ("list: [100000", " 99900: {1"));
    assert_eq!(part.last().map(String::as_str), Some("  n: 99999 number"));
}

#[test]
fn half_a_million_levels_are_cut_and_can_be_gone_into() {
    let text = format!("{}1{}", "[".repeat(500_000), "]".repeat(500_000));
    let shown = lines(text.as_bytes());
    assert_eq!(shown.len(), 65);
    assert_eq!(shown[64], format!("{}0:  +999873 deep", " ".repeat(64)));
    let deeper = tree(text.as_bytes(), Wish { at: 64, ..Wish::default() });
    assert_eq!(deeper.pointer, "/0".repeat(64));
    assert_eq!(lines_of(&deeper).len(), 65);
    let open = "{\"a\":[".repeat(200_000);
    let shown = lines(open.as_bytes());
    assert!(shown.last().is_some_and(|line| line.starts_with("✗ the text ends here")), "{:?}", shown.last());
}

#[test]
fn a_page_has_a_weight_and_says_what_is_not_on_it() {
    let inner = format!("[{}]", vec!["1"; 150].join(","));
    let text = format!("[{}]", vec![inner.as_str(); 100].join(","));
    let shown = lines(text.as_bytes());
    assert!(shown.len() < 2_100);
    assert!(shown.last().is_some_and(|line| line.contains("more of 100 @0")), "{:?}", shown.last());
}

#[test]
fn secrets_are_masked_by_their_names() {
    let text = br#"{"Password":"x","secret":{"a":1},"passwords":1,"pass\u0077ord":2}"#;
    let masked: Vec<String> = tree(text, Wish::default())
        .rows
        .iter()
        .filter_map(|row| match row {
            Row::Open { node, .. } | Row::Leaf { node, .. } if node.is_masked => Some(node.pointer.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(masked, ["/Password", "/secret", "/password"]);
}

#[test]
fn tokens_and_blanks_are_all_there_is_of_any_bytes() {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut json = 0;
    let alphabet = b"{}[]:,\"\\ \n\t1a0.-eu\xff\xe2\x80d";
    for round in 0..3_000_usize {
        let length = round % 60;
        let mut random = |below: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            usize::try_from(state % 1_000_003).unwrap() % below
        };
        let bytes: Vec<u8> = if round % 2 == 0 {
            (0..length).map(|_| alphabet[random(alphabet.len())]).collect()
        } else {
            // A document with one byte changed.
            let mut bytes = br#"{"a":[1,-0.5e+3,true,"x\u00e9"],"b":{"":null},"c":[[],{}]}"#.to_vec();
            let at = random(bytes.len());
            bytes[at] = alphabet[random(alphabet.len())];
            bytes
        };
        let length = bytes.len();
        let mut end = 0;
        for token in Lexer::new(&bytes, 0) {
            assert!(bytes[end..token.start].iter().all(|byte| b" \t\n\r".contains(byte)), "{bytes:?}");
            assert!(token.end > token.start);
            end = token.end;
        }
        assert!(bytes[end..].iter().all(|byte| b" \t\n\r".contains(byte)), "{bytes:?}");
        let shown = lines(&bytes);
        let is_broken = shown.iter().any(|line| line.starts_with('✗') || line.contains("JSON"));
        let is_json = serde_json::from_slice::<serde::de::IgnoredAny>(&bytes).is_ok();
        assert_eq!(is_broken, !is_json, "{:?} {shown:?}", String::from_utf8_lossy(&bytes));
        json += usize::from(is_json);
        for at in 0..length {
            lines_of(&tree(&bytes, Wish { at, offset: 1, ..Wish::default() }));
        }
    }
    assert!(json > 30, "{json}");
}

#[test]
fn a_key_as_long_as_a_body_does_not_make_a_page_of_gigabytes() {
    let text = format!("{{\"{}\":[{}]}}", "k".repeat(1_000_000), vec!["1"; 300].join(","));
    let tree = tree(text.as_bytes(), Wish::default());
    let weight: usize = tree
        .rows
        .iter()
        .map(|row| match row {
            Row::Open { node, .. } | Row::Leaf { node, .. } => node.pointer.len(),
            _ => 0,
        })
        .sum();
    assert!(tree.rows.len() > 200 && weight < 300_000, "{weight}");
    assert!(tree.rows.iter().any(|row| matches!(row, Row::Leaf { node, .. } if !node.has_place)));
}
