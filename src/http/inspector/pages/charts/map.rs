//! Places on a grid of latitudes and longitudes: a track, where it ended, and a scale. No picture is asked of anybody.

use super::numbers::drawn;
use crate::inspect::entities::Place;

/// The map's size, in its own units.
const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 300.0;
/// Room around what is drawn.
const MARGIN: f64 = 34.0;
/// The least height that a map shows, in degrees: about two hundred metres.
const LEAST: f64 = 0.002;
/// Metres of a degree of latitude.
const METRES: f64 = 111_320.0;
/// The width that a scale may have.
const SCALE: f64 = 150.0;

/// A line of the grid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grid {
    /// Where it is.
    pub at: String,
    /// Its words.
    pub label: String,
}

/// A place as it is drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spot {
    /// Where it is.
    pub x: String,
    /// Where it is.
    pub y: String,
    /// What it is.
    pub title: String,
}

/// A map.
#[derive(Clone, Debug)]
pub struct Map {
    /// Lines from north to south.
    pub meridians: Vec<Grid>,
    /// Lines from west to east.
    pub parallels: Vec<Grid>,
    /// The way, as the points of a line.
    pub track: String,
    /// The places.
    pub spots: Vec<Spot>,
    /// The last place.
    pub last: Spot,
    /// The last place in words.
    pub words: String,
    /// How wide the scale is.
    pub scale_width: String,
    /// The distance that its width represents.
    pub scale: String,
}

impl Map {
    /// The map of some places, the earliest first; `None` where there is none.
    #[must_use]
    pub fn of(places: &[Place]) -> Option<Self> {
        let last = *places.last()?;
        let places = unwrapped(places);
        let bounds = |value: fn(&Place) -> f64| {
            let values = places.iter().map(value);
            values.fold((f64::MAX, f64::MIN), |(low, high), value| (low.min(value), high.max(value)))
        };
        let ((south, north), (west, east)) = (bounds(|place| place.lat), bounds(|place| place.lng));
        let (lat, lng) = (f64::midpoint(south, north), f64::midpoint(west, east));
        // A degree of longitude is shorter in the north.
        let narrow = lat.to_radians().cos().max(0.01);
        let (inner_width, inner_height) = (WIDTH - 2.0 * MARGIN, HEIGHT - 2.0 * MARGIN);
        let units = (inner_height / (north - south).max(LEAST))
            .min(inner_width / ((east - west) * narrow).max(LEAST));
        let x = |of: f64| WIDTH / 2.0 + (of - lng) * narrow * units;
        let y = |of: f64| HEIGHT / 2.0 - (of - lat) * units;
        let spot = |place: &Place| Spot {
            x: format!("{:.1}", x(place.lng)),
            y: format!("{:.1}", y(place.lat)),
            title: format!("{}, {}", words(place), place.at),
        };
        let spots: Vec<Spot> = places.iter().map(spot).collect();
        let step = grid_step(HEIGHT / 6.0 / units);
        let (half_width, half_height) = (WIDTH / 2.0 / units / narrow, HEIGHT / 2.0 / units);
        let lng_step = grid_step(WIDTH / 5.0 / units / narrow);
        let metres = round_metres(SCALE / units * METRES);
        Some(Self {
            meridians: grid(lng - half_width, lng + half_width, lng_step, |of| {
                (format!("{:.1}", x(of)), degrees(wrapped(of), lng_step, "E", "W"))
            }),
            parallels: grid((lat - half_height).max(-90.0), (lat + half_height).min(90.0), step, |of| {
                (format!("{:.1}", y(of)), degrees(of, step, "N", "S"))
            }),
            track: spots.iter().map(|spot| format!("{},{}", spot.x, spot.y)).collect::<Vec<_>>().join(" "),
            last: spots.last()?.clone(),
            spots,
            words: words(&last),
            scale_width: format!("{:.1}", metres / METRES * units),
            scale: if metres >= 1_000.0 { format!("{} km", metres / 1_000.0) } else { format!("{metres} m") },
        })
    }
}

/// The places with longitudes that do not jump where the date does.
fn unwrapped(places: &[Place]) -> Vec<Place> {
    let mut unwrapped: Vec<Place> = Vec::new();
    for place in places {
        let before = unwrapped.last().map_or(place.lng, |last| last.lng);
        let turns = ((before - place.lng) / 360.0).round();
        unwrapped.push(Place { lng: place.lng + turns * 360.0, ..*place });
    }
    unwrapped
}

fn wrapped(lng: f64) -> f64 {
    (lng + 180.0).rem_euclid(360.0) - 180.0
}

/// 1, 2 or 5 times a power of ten, at or above that.
fn grid_step(least: f64) -> f64 {
    let power = 10_f64.powf(least.max(1e-6).log10().floor());
    [1.0, 2.0, 5.0, 10.0].map(|part| part * power).into_iter().find(|step| *step >= least).unwrap_or(least)
}

/// 1, 2 or 5 times a power of ten, at or below that.
fn round_metres(most: f64) -> f64 {
    let power = 10_f64.powf(most.max(1e-3).log10().floor());
    let fits = [5.0, 2.0, 1.0].map(|part| (part * power * 1e3).round() / 1e3);
    fits.into_iter().find(|metres| *metres <= most).unwrap_or(power)
}

fn grid(from: f64, until: f64, step: f64, line: impl Fn(f64) -> (String, String)) -> Vec<Grid> {
    let first = (from / step).ceil();
    let places = (0..12_u64).map(|number| (first + drawn(number)) * step);
    places
        .take_while(|place| *place <= until)
        .map(|place| {
            let (at, label) = line(place);
            Grid { at, label }
        })
        .collect()
}

fn degrees(value: f64, step: f64, positive: &str, negative: &str) -> String {
    let digits = [1.0, 0.1, 0.01, 0.001, 1e-4].iter().position(|least| step >= least * 0.999).unwrap_or(5);
    format!("{:.digits$}° {}", value.abs(), if value < 0.0 { negative } else { positive })
}

/// A place as people write it.
fn words(place: &Place) -> String {
    format!("{}, {}", degrees(place.lat, 1e-5, "N", "S"), degrees(wrapped(place.lng), 1e-5, "E", "W"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;

    fn place(lat: f64, lng: f64) -> Place {
        Place { at: Timestamp::from_secs(1_800_000_000), lat, lng }
    }

    #[test]
    fn one_place_is_in_the_middle_of_a_grid_with_a_scale() {
        let map = Map::of(&[place(52.52437, 13.41053)]).unwrap();
        assert_eq!((map.last.x.as_str(), map.last.y.as_str()), ("320.0", "150.0"));
        assert_eq!(map.words, "52.52437° N, 13.41053° E");
        assert_eq!(map.scale, "100 m");
        assert!(map.meridians.len() >= 3 && map.parallels.len() >= 2, "{map:?}");
        assert!(map.parallels.iter().all(|line| line.label.ends_with("° N")), "{map:?}");
        assert!(Map::of(&[]).is_none());
    }

    #[test]
    fn a_track_stays_within_the_map_also_over_the_date_line_and_at_a_pole() {
        for track in [
            vec![place(0.0, 179.9), place(0.1, -179.9), place(0.2, -179.7)],
            vec![place(89.9, 0.0), place(89.8, 120.0)],
            vec![place(-90.0, -180.0), place(90.0, 180.0)],
            vec![place(52.5, 13.4), place(48.1, 11.6)],
        ] {
            let map = Map::of(&track).unwrap();
            for spot in &map.spots {
                let (x, y): (f64, f64) = (spot.x.parse().unwrap(), spot.y.parse().unwrap());
                assert!((0.0..=WIDTH).contains(&x) && (0.0..=HEIGHT).contains(&y), "{track:?}: {spot:?}");
            }
            assert!(!map.meridians.is_empty() && !map.scale.is_empty());
        }
        let map = Map::of(&[place(0.0, 179.9), place(0.1, -179.9)]).unwrap();
        assert!(map.meridians.iter().any(|line| line.label.ends_with('W')), "{:?}", map.meridians);
    }
}
