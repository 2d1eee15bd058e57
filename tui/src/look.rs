//! How the terminal may be used: which colours, on which background, whether anything moves by itself.

/// What the surroundings say of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    pub colors: Colors,
    /// Whether the background is light.
    pub light: bool,
    /// Nothing moves that need not.
    pub still: bool,
    /// Whether the wheel and clicks are ours; else the terminal's, to select text with.
    pub mouse: bool,
}

/// How many there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colors {
    /// Weight and underline tell the same.
    None,
    /// The terminal's own sixteen.
    Ansi,
    True,
}

impl Look {
    /// From variables of the environment: `NO_COLOR`, `TERM`, `COLORTERM`, `COLORFGBG`, `NO_MOTION`,
    /// `FORETHOUGHT_THEME` (`light` or `dark`) and `FORETHOUGHT_MOUSE` (`off`).
    pub fn of(variable: &dyn Fn(&str) -> Option<String>) -> Look {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let colors = if set("NO_COLOR").is_some() || set("TERM").as_deref() == Some("dumb") {
            Colors::None
        } else if set("COLORTERM").is_some_and(|value| value == "truecolor" || value == "24bit") {
            Colors::True
        } else {
            Colors::Ansi
        };
        let light = match set("FORETHOUGHT_THEME").as_deref() {
            Some("light") => true,
            Some(_) => false,
            // Some terminals say `foreground;background` by the numbers of their sixteen colours.
            None => set("COLORFGBG")
                .is_some_and(|value| matches!(value.rsplit(';').next(), Some("7" | "15"))),
        };
        let mouse = set("FORETHOUGHT_MOUSE").as_deref() != Some("off");
        Look { colors, light, still: set("NO_MOTION").is_some(), mouse }
    }
}
