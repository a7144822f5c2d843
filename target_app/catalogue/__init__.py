"""What is sold: categories, brands, products, tags, reviews."""
