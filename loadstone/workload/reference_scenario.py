"""What is sent to `loadstone.target.reference_server`: the same request, over and over."""

from locust import FastHttpUser, task


class Visitor(FastHttpUser):
    """Asks for work."""

    @task
    def ask(self) -> None:
        """Ask once."""
        self.client.get("/work")
