//! Durations as text: "2 hours 30 min".
