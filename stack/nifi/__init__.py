"""Apache NiFi for `make up WITH=nifi`: assembled from the artifacts of Maven Central, in a folder of its own."""

from __future__ import annotations
