//! Numbers as other programs write them.

use super::style::{Digits, Float, High, Numbers, Whole};

/// Numbers with larger exponents are not expanded.
const MAX_POWER: i64 = 400;

/// The number in that format; text that is not a number stays unchanged.
pub fn written(token: &str, numbers: &Numbers) -> String {
    let other = match numbers {
        Numbers::AsSent => None,
        Numbers::Plain => decimal(token).map(|number| number.plain()),
        Numbers::Decimal => decimal(token).map(|number| number.general()),
        Numbers::Float(float) => float_or_whole(token, float),
    };
    other.unwrap_or_else(|| token.to_owned())
}

fn float_or_whole(token: &str, style: &Float) -> Option<String> {
    if !token.starts_with(|first: char| first == '-' || first.is_ascii_digit()) {
        return None;
    }
    let is_whole = !token.contains(['.', 'e', 'E']);
    let exact = || if token == "-0" { "0".to_owned() } else { token.to_owned() };
    let is_64 = token.parse::<i64>().is_ok() || token.parse::<u64>().is_ok();
    match style.whole {
        Whole::Exact if is_whole => return Some(exact()),
        Whole::Signed64 if is_whole && token.parse::<i64>().is_ok() => return Some(exact()),
        Whole::Any64 | Whole::Any64OrString if is_whole && is_64 => return Some(exact()),
        Whole::Any64OrString if is_whole => return Some(format!("\"{token}\"")),
        _ => {}
    }
    let number: f64 = token.parse().ok().filter(|number: &f64| number.is_finite())?;
    let (digits, power) = digits(number.abs(), style.digits)?;
    let is_negative = number < 0.0 || (number == 0.0 && token.starts_with('-') && style.has_minus_zero);
    let sign = if is_negative { "-" } else { "" };
    let high = match style.high {
        High::At(high) => high,
        High::AboveDigits(above) => i32::try_from(digits.len()).ok()?.saturating_add(above),
    };
    let size = if number == 0.0 || (style.low..high).contains(&power) {
        fixed(&digits, power, style.has_zero.0)?
    } else {
        scientific(&digits, power, style)
    };
    Some(format!("{sign}{size}"))
}

/// The significant digits, and the exponent of the first one.
fn digits(size: f64, digits: Digits) -> Option<(String, i32)> {
    let text = match digits {
        Digits::Shortest => format!("{size:e}"),
        Digits::At(count) => format!("{size:.*e}", count.saturating_sub(1)),
        Digits::FifteenOrSeventeen => {
            let short = format!("{size:.14e}");
            let is_near = short.parse::<f64>().is_ok_and(|near| (near - size).abs() <= size * f64::EPSILON);
            if is_near { short } else { format!("{size:.16e}") }
        }
    };
    let (mantissa, power) = text.split_once('e')?;
    let all: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let significant = all.trim_end_matches('0');
    let significant = if significant.is_empty() { "0" } else { significant };
    Some((significant.to_owned(), power.parse().ok()?))
}

fn fixed(digits: &str, power: i32, has_zero: bool) -> Option<String> {
    let Ok(whole) = usize::try_from(power.saturating_add(1)) else {
        let zeros = usize::try_from(power.saturating_add(1).unsigned_abs()).ok()?;
        return Some(format!("0.{}{digits}", "0".repeat(zeros)));
    };
    if whole == 0 {
        return Some(format!("0.{digits}"));
    }
    Some(match digits.split_at_checked(whole).filter(|(_, fraction)| !fraction.is_empty()) {
        Some((whole, fraction)) => format!("{whole}.{fraction}"),
        None => {
            let zeros = "0".repeat(whole.saturating_sub(digits.len()));
            format!("{digits}{zeros}{}", if has_zero { ".0" } else { "" })
        }
    })
}

fn scientific(digits: &str, power: i32, style: &Float) -> String {
    let (first, rest) = digits.split_at_checked(1).unwrap_or((digits, ""));
    let fraction = match rest {
        "" if style.has_zero.1 => ".0".to_owned(),
        "" => String::new(),
        rest => format!(".{rest}"),
    };
    let sign = match power {
        ..0 => "-",
        _ if style.has_plus => "+",
        _ => "",
    };
    format!("{first}{fraction}{}{sign}{:0width$}", style.exponent, power.unsigned_abs(), width = style.width)
}

/// The digits of a number without loss: `coefficient` × 10^`exponent`.
struct Decimal<'t> {
    is_negative: bool,
    whole: &'t str,
    fraction: &'t str,
    power: i64,
}

fn decimal(token: &str) -> Option<Decimal<'_>> {
    let size = token.strip_prefix('-').unwrap_or(token);
    if !size.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    let (mantissa, power) = size.split_once(['e', 'E']).unwrap_or((size, "0"));
    let power: i64 = power.trim_start_matches('+').parse().ok()?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    (power.abs() <= MAX_POWER).then_some(Decimal {
        is_negative: token.starts_with('-'),
        whole,
        fraction,
        power,
    })
}

impl Decimal<'_> {
    fn sign(&self, digits: &str) -> &'static str {
        let is_zero = digits.bytes().all(|digit| digit == b'0');
        if self.is_negative && !is_zero { "-" } else { "" }
    }

    fn plain(&self) -> String {
        let digits = format!("{}{}", self.whole, self.fraction);
        let point = i64::try_from(self.whole.len()).unwrap_or(i64::MAX).saturating_add(self.power);
        let sign = self.sign(&digits);
        let Ok(whole) = usize::try_from(point) else {
            let zeros = usize::try_from(point.unsigned_abs()).unwrap_or_default();
            return format!("{sign}0.{}{digits}", "0".repeat(zeros));
        };
        let padded = format!("{digits}{}", "0".repeat(whole.saturating_sub(digits.len())));
        let (whole, fraction) = padded.split_at_checked(whole).unwrap_or((&padded, ""));
        let whole = whole.trim_start_matches('0');
        let whole = if whole.is_empty() { "0" } else { whole };
        if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
    }

    fn general(&self) -> String {
        let all = format!("{}{}", self.whole, self.fraction);
        let digits = all.trim_start_matches('0');
        let digits = if digits.is_empty() { "0" } else { digits };
        let length = |text: &str| i64::try_from(text.len()).unwrap_or(i64::MAX);
        let exponent = self.power.saturating_sub(length(self.fraction));
        let adjusted = exponent.saturating_add(length(digits)).saturating_sub(1);
        if exponent <= 0 && adjusted >= -6 {
            return self.plain();
        }
        let (first, rest) = digits.split_at_checked(1).unwrap_or((digits, ""));
        let point = if rest.is_empty() { "" } else { "." };
        format!("{}{first}{point}{rest}E{adjusted:+}", self.sign(digits))
    }
}

#[cfg(test)]
mod tests {
    use super::super::numbers::*;
    use super::*;

    /// The expected values are the output of the programs themselves.
    #[test]
    fn numbers_are_those_of_each_language() {
        let tokens =
            ["1e2", "1e15", "1e17", "123456789.5", "0.00012", "0.000012", "1e-7", "-0", "-0.0", "1.10"];
        for (numbers, expected) in [
            (JAVASCRIPT, "100 1000000000000000 100000000000000000 123456789.5 0.00012 0.000012 1e-7 0 0 1.1"),
            (GO, "100 1000000000000000 100000000000000000 123456789.5 0.00012 0.000012 1e-7 -0 -0 1.1"),
            (PYTHON, "100.0 1000000000000000.0 1e+17 123456789.5 0.00012 1.2e-05 1e-07 0 -0.0 1.1"),
            (ORJSON, "100.0 1000000000000000.0 1e+17 123456789.5 0.00012 0.000012 1e-7 0 -0.0 1.1"),
            (UJSON, "100.0 1000000000000000.0 1e+17 123456789.5 0.00012 1.2e-5 1e-7 0 -0.0 1.1"),
            (PHP, "100 1000000000000000 1.0e+17 123456789.5 0.00012 1.2e-5 1.0e-7 0 -0 1.1"),
            (PHP_ZERO, "100.0 1000000000000000.0 1.0e+17 123456789.5 0.00012 1.2e-5 1.0e-7 0 -0.0 1.1"),
            (RUBY, "100.0 1.0e+15 1.0e+17 123456789.5 0.00012 1.2e-05 1.0e-07 0 -0.0 1.1"),
            (JAVA, "100.0 1.0E15 1.0E17 1.234567895E8 1.2E-4 1.2E-5 1.0E-7 0 -0.0 1.1"),
            (JQ, "100 1000000000000000 1e+17 123456789.5 0.00012 1.2e-05 1e-07 -0 -0 1.1"),
            (NLOHMANN, "100.0 1e+15 1e+17 123456789.5 0.00012 1.2e-05 1e-07 0 -0.0 1.1"),
            (LUA, "100 1e+15 1e+17 123456789.5 0.00012 1.2e-05 1e-07 -0 -0 1.1"),
            (CJSON, "100 1e+15 1e+17 123456789.5 0.00012 1.2e-05 1e-07 -0 -0 1.1"),
            (
                Numbers::Plain,
                "100 1000000000000000 100000000000000000 123456789.5 0.00012 0.000012 0.0000001 0 0.0 1.10",
            ),
            (Numbers::Decimal, "1E+2 1E+15 1E+17 123456789.5 0.00012 0.000012 1E-7 0 0.0 1.10"),
        ] {
            let made: Vec<String> = tokens.iter().map(|token| written(token, &numbers)).collect();
            assert_eq!(made.join(" "), expected);
        }
    }

    #[test]
    fn integers_beyond_64_bits_are_those_of_each_language() {
        let big = "12345678901234567890123";
        for (numbers, expected) in [
            (JAVASCRIPT, "1.2345678901234568e+22"),
            (PYTHON, big),
            (PHP, "1.2345678901234568e+22"),
            (GSON, "1.2345678901234568E22"),
            (PERL, "\"12345678901234567890123\""),
            (LUA, "1.2345678901235e+22"),
        ] {
            assert_eq!(written(big, &numbers), expected);
        }
        assert_eq!(written("9007199254740993", &CJSON), "9.00719925474099e+15");
        assert_eq!(written("18446744073709551615", &JQ), "18446744073709552000");
        assert_eq!(written("18446744073709551615", &PHP), "1.8446744073709552e+19");
        assert_eq!(written("1e999", &PYTHON), "1e999");
        assert_eq!(written("nul", &PYTHON), "nul");
        assert_eq!(written("1e99999999", &Numbers::Plain), "1e99999999");
    }
}
