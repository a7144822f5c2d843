"""What a run tells Prometheus, Grafana and browsers while it goes on; nothing of it decides anything."""
