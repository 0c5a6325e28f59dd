"""The Metadata API: SOAP calls, deployments, retrieves, and what judges and lands components."""
