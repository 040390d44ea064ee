proc from_below {} { cache create below size=8 }
