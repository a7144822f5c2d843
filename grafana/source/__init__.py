"""The dashboards as code; `python -m grafana.source` writes them to `grafana/dashboards/` as JSON."""
