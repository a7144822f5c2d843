"""How customers follow their orders: by asking again and again, or by being told (toggle `updates`)."""
