# SPDX-License-Identifier: MIT
# One curve a row of points, a column each; curves.c sets points, drawing,
# heading and below.
set terminal svg size 800,500 font "sans-serif,13" background rgb "white"
set output drawing
set title heading
set xlabel below
set ylabel "ns per pair"
set datafile missing "?"
set grid
set key outside right
set yrange [0:*]
stats points skip 1 nooutput
if (STATS_max_x > 100) set logscale x; set format x "10^{%T}"
if (STATS_max_x <= 100) set format x "%.0f"
plot for [i=2:STATS_columns] points using 1:i with linespoints \
	linewidth 1.5 pointtype 7 pointsize 0.5 title columnhead(i)
