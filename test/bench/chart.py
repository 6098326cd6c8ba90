"""Draws what a call costs, and what a whole request costs, as bars, by gnuplot."""

import shutil
import subprocess

# Whose times make a panel, and how their names read there.
PANELS = (
    ("A token from a warm cache", "warm_get", {
        "sypht-credential get": "sypht-credential get",
        "/bin/true": "/bin/true, which does nothing",
        "git credential-cache get": "git credential-cache get",
    }),
    ("A whole request: curl, and how it gets its token", "whole_requests", {
        "curl -H": "curl -H, the token known",
        "curl, plugin": "plugin",
        "sypht-run curl": "sypht-run",
        "curl $(sypht-credential token)": "sh, sypht-credential token",
        "curl token | jq, then curl": "sh, curl token | jq",
        "python requests, both": "python requests instead",
    }),
)
OURS = ("sypht", "plugin")
BAR_PIXELS = 26
TITLE_BARS = 2  # a title takes the room of so many


def panel(title, bars, top, height):
    """bars: (name, milliseconds), the first on top; top and height as parts of the picture's."""
    data = "\n".join(
        f'"{name}" {len(bars) - i} {value:.3f} {1 if any(word in name for word in OURS) else 0}'
        for i, (name, value) in enumerate(bars)
    )
    most = max(value for _, value in bars)
    return f"""
$bars << END
{data}
END
set origin 0,{1 - top - height:.4f}
set size 1,{height:.4f}
set title "{title}"
set xrange [0:{most * 1.15:.3f}]
set yrange [0.3:{len(bars) + 0.7}]
plot $bars using ($3/2):2:($3/2):(0.36):($4 > 0 ? 0x2f6f4f : 0xb0b0b0):ytic(1) \\
        with boxxyerror lc rgb variable notitle, \\
     '' using 3:2:(sprintf(" %.2f ms", $3)) with labels left notitle
"""


def draw(results, path):
    """The path where it was drawn; None where gnuplot or the times are missing."""
    if not shutil.which("gnuplot"):
        return None
    charts = []
    for title, measure, names in PANELS:
        times = results.get(measure, {}).get("times", {})
        bars = [(label, times[name]["median_us"] / 1000) for name, label in names.items() if name in times]
        if bars:
            charts.append((title, bars))
    if not charts:
        return None

    rows = sum(len(bars) + TITLE_BARS for _, bars in charts)
    script = f"""
set terminal svg size 760,{BAR_PIXELS * rows} font "sans-serif,13" background rgb "white"
set output "{path}"
set style fill solid 1.0 noborder
set lmargin 30
set rmargin 10
set tmargin 2
set bmargin 0.5
unset xtics
set border 0
set ytics nomirror scale 0
set multiplot
"""
    top = 0
    for title, bars in charts:
        height = (len(bars) + TITLE_BARS) / rows
        script += panel(title, bars, top, height)
        top += height
    subprocess.run(["gnuplot"], input=script, text=True, check=True)
    # gnuplot ends some lines in blanks
    path.write_text("\n".join(line.rstrip() for line in path.read_text().splitlines()) + "\n")
    return path
