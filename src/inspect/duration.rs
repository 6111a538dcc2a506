//! Durations for people.

/// A time for people, from milliseconds to hours.
pub fn seconds(secs: f64) -> String {
    match secs {
        _ if secs < 0.001 => format!("{:.0} µs", secs * 1e6),
        _ if secs < 1.0 => format!("{:.0} ms", secs * 1e3),
        _ if secs < 120.0 => format!("{secs:.1} s"),
        _ if secs < 7_200.0 => format!("{:.1} min", secs / 60.0),
        _ => format!("{:.1} h", secs / 3_600.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_duration_has_the_unit_that_suits_it() {
        let told = [0.0005, 0.003, 1.25, 180.0, 7_200.0].map(seconds);
        assert_eq!(told, ["500 µs", "3 ms", "1.2 s", "3.0 min", "2.0 h"]);
    }
}
