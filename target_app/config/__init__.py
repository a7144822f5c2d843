"""How the shop is put together: settings, URLs, WSGI entry."""
