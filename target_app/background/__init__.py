"""Work that nobody needs to wait for: done within the request, or by a worker (toggle `tasks`)."""
