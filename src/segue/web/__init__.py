"""HTTP: ingestion, providers' callbacks, health and metrics."""
