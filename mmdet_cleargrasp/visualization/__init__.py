"""Pictures: detections, contact sheets and training curves."""
