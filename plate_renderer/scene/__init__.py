"""A scene drawn at random from a spec: bench, light, camera and where everything stands."""
