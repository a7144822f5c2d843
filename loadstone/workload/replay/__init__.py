"""Scenarios from recorded traffic: HAR files and access logs, with their arrival times kept."""
