"""Charts as SVG, drawn here so that they need no script, follow the theme and print sharp.

Positions are percentages of the width: a chart fills whatever it is put in, and
its text keeps its size on a phone.
"""
