//! The losses and the held-out looks of a run as a picture.

use plotters::prelude::*;

/// What is drawn: by step.
#[derive(Debug, Clone, Default)]
pub(crate) struct Curves {
    pub(crate) loss: Vec<(f64, f64)>,
    pub(crate) contrast: Vec<(f64, f64)>,
    pub(crate) generation: Vec<(f64, f64)>,
    /// Held-out nDCG@10, without and with thought.
    pub(crate) bare: Vec<(f64, f64)>,
    pub(crate) thought: Vec<(f64, f64)>,
}

const SIZE: (u32, u32) = (900, 420);

/// One line, with its name and colour.
type Line<'a> = (&'static str, &'a [(f64, f64)], RGBColor);

/// The picture as SVG: losses on the left, looks on the right.
pub(crate) fn svg(curves: &Curves) -> Result<String, String> {
    let mut text = String::new();
    {
        let root = SVGBackend::with_string(&mut text, SIZE).into_drawing_area();
        let failed = |error: &dyn std::fmt::Display| error.to_string();
        root.fill(&WHITE).map_err(|error| failed(&error))?;
        let halves = root.split_evenly((1, 2));
        let losses: [Line<'_>; 3] = [
            ("loss", &curves.loss, BLACK),
            ("contrastive", &curves.contrast, BLUE),
            ("generation", &curves.generation, RED),
        ];
        let looks: [Line<'_>; 2] =
            [("question alone", &curves.bare, BLUE), ("with its thought", &curves.thought, RED)];
        chart(&halves[0], "loss by step", &losses).map_err(|error| failed(&error))?;
        chart(&halves[1], "held-out nDCG@10 by step", &looks).map_err(|error| failed(&error))?;
        root.present().map_err(|error| failed(&error))?;
    }
    Ok(text)
}

fn chart<B: DrawingBackend>(
    area: &DrawingArea<B, plotters::coord::Shift>,
    title: &str,
    lines: &[Line<'_>],
) -> Result<(), DrawingAreaErrorKind<B::ErrorType>> {
    let points = || lines.iter().flat_map(|(_, points, _)| points.iter());
    let steps = points().map(|(x, _)| *x).fold(1.0, f64::max);
    let most = points().map(|(_, y)| *y).fold(f64::MIN_POSITIVE, f64::max);
    let mut chart = ChartBuilder::on(area)
        .caption(title, ("sans-serif", 18))
        .margin(12)
        .x_label_area_size(28)
        .y_label_area_size(44)
        .build_cartesian_2d(0.0..steps, 0.0..most * 1.05)?;
    chart.configure_mesh().disable_x_mesh().draw()?;
    for (name, points, color) in lines {
        let color = *color;
        chart
            .draw_series(LineSeries::new(points.iter().copied(), &color))?
            .label(*name)
            .legend(move |(x, y)| PathElement::new(vec![(x, y), (x + 16, y)], color));
    }
    chart.configure_series_labels().background_style(WHITE).border_style(BLACK).draw()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_drawn_and_so_is_one_that_has_only_begun() {
        let curves = Curves {
            loss: vec![(1.0, 2.0), (2.0, 1.0)],
            bare: vec![(0.0, 0.4), (2.0, 0.6)],
            ..Curves::default()
        };
        for curves in [curves, Curves::default()] {
            let svg = svg(&curves).unwrap();
            assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"), "{svg}");
            assert!(
                svg.contains("held-out nDCG@10 by step") && svg.contains("contrastive"),
                "{svg}"
            );
        }
    }
}
