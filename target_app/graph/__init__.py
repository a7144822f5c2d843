"""GraphQL over the catalogue. Imported at the first request for it: most shops never are asked."""
