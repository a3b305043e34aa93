"""Reports: one page that shows what a model became, what was measured of it and what is proved."""
