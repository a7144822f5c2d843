"""What a run tells Prometheus and Grafana while it goes on; nothing of it decides anything."""
